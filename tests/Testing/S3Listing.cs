using System.Globalization;
using System.Text;

namespace Testing;

/// <summary>One page of ListObjectsV2, as AWS renders it.</summary>
internal static class S3Listing
{
    private const int MaxKeys = 1000;

    /// <summary>The response to a listing request.</summary>
    /// <param name="bucket">The name of the bucket.</param>
    /// <param name="objects">All objects, by their keys.</param>
    /// <param name="query">The decoded parameters of the request.</param>
    /// <param name="maxKeys">Maximum keys of a page, if the request asks for more.</param>
    public static string Render(string bucket, IEnumerable<(string Key, ScriptedObject Stored)> objects, IReadOnlyDictionary<string, string> query, int maxKeys = MaxKeys)
    {
        var (prefix, delimiter) = (query.GetValueOrDefault("prefix", ""), query.GetValueOrDefault("delimiter", ""));
        var limit = Math.Min(Math.Min(maxKeys, MaxKeys), int.Parse(query.GetValueOrDefault("max-keys", "1000"), CultureInfo.InvariantCulture));
        var after = query.TryGetValue("continuation-token", out var token) ? ReadToken(token) : query.GetValueOrDefault("start-after", "");
        Func<string, string> encode = query.GetValueOrDefault("encoding-type") == "url" ? EncodeUrl : EncodeXml;
        var page = new StringBuilder();
        var (last, count, isTruncated) = ("", 0, false);
        foreach (var (key, stored) in objects.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal) && Compare(pair.Key, after) > 0).OrderBy(pair => pair.Key, Comparer<string>.Create(Compare)))
        {
            var folder = delimiter.Length > 0 && key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal) is >= 0 and var at ? key[..(at + delimiter.Length)] : null;
            if (folder is not null && (folder == last || folder == after))
            {
                continue;
            }

            if (count == limit)
            {
                isTruncated = limit > 0;
                break;
            }

            page.Append(folder is null ? RenderObject(encode(key), stored) : $"<CommonPrefixes><Prefix>{encode(folder)}</Prefix></CommonPrefixes>");
            last = folder ?? key;
            count++;
        }

        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + $"<Name>{bucket}</Name><Prefix>{encode(prefix)}</Prefix>"
            + (delimiter.Length > 0 ? $"<Delimiter>{encode(delimiter)}</Delimiter>" : "")
            + (query.TryGetValue("start-after", out var start) ? $"<StartAfter>{encode(start)}</StartAfter>" : "")
            + (token is not null ? $"<ContinuationToken>{EncodeXml(token)}</ContinuationToken>" : "")
            + (isTruncated ? $"<NextContinuationToken>{EncodeXml(WriteToken(last))}</NextContinuationToken>" : "")
            + (encode == EncodeUrl ? "<EncodingType>url</EncodingType>" : "")
            + $"<KeyCount>{count}</KeyCount><MaxKeys>{limit}</MaxKeys><IsTruncated>{(isTruncated ? "true" : "false")}</IsTruncated>{page}</ListBucketResult>";
    }

    /// <summary>Text in XML, with references for the characters that XML 1.0 does not allow, as AWS does.</summary>
    public static string EncodeXml(string text) => string.Concat(text.Select(c => c switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        < ' ' => string.Create(CultureInfo.InvariantCulture, $"&#{(int)c};"),
        _ => c.ToString(),
    }));

    /// <summary>Whether a token is that of a page.</summary>
    public static bool IsToken(string token) => token.StartsWith("1+/", StringComparison.Ordinal) && token.EndsWith("&==", StringComparison.Ordinal);

    /// <summary>As AWS encodes keys in listings: like a form, but slashes remain.</summary>
    private static string EncodeUrl(string text) =>
        SignatureV4.EscapePath(text).Replace("%20", "+", StringComparison.Ordinal).Replace("%2A", "*", StringComparison.Ordinal).Replace("~", "%7E", StringComparison.Ordinal);

    private static string RenderObject(string key, ScriptedObject stored)
    {
        var modified = stored.Modified.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        return $"<Contents><Key>{key}</Key><LastModified>{modified}</LastModified><ETag>{EncodeXml(stored.ETag ?? "")}</ETag>"
            + string.Create(CultureInfo.InvariantCulture, $"<Size>{stored.Content.Size}</Size>")
            + $"<StorageClass>{stored.Headers.GetValueOrDefault("x-amz-storage-class", "STANDARD")}</StorageClass></Contents>";
    }

    // Opaque, and with every character that a query must escape.
    private static string WriteToken(string last) => $"1+/{Convert.ToBase64String(Encoding.UTF8.GetBytes(last))}&==";

    private static string ReadToken(string token) => Encoding.UTF8.GetString(Convert.FromBase64String(token[3..^3]));

    /// <summary>By the UTF-8 bytes, which differs from the order of .NET's strings beyond U+FFFF.</summary>
    private static int Compare(string one, string other) => Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other));
}
