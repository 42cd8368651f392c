using Gateway.Storage.Http;
using Microsoft.Extensions.Primitives;

namespace Gateway.Storage.Checksums;

/// <summary>Checksums of a whole object that storage sends in its response headers.</summary>
/// <param name="All">At least one; at most one of each kind, in the order of <see cref="ChecksumKind"/>.</param>
public sealed record ObjectChecksums(IReadOnlyList<Checksum> All)
{
    /// <summary>The SHA-256; null if storage sent none.</summary>
    public byte[]? Sha256 => Find(ChecksumKind.Sha256);

    /// <summary>Reads them from the headers of a 200, where <c>Content-MD5</c> covers the whole object, or of a 206, where it does not.</summary>
    /// <returns>Null if there are none; invalid ones are ignored.</returns>
    public static ObjectChecksums? From(IHeaderDictionary headers)
    {
        // A checksum of the parts' checksums cannot be compared with the bytes.
        var isWhole = headers["x-amz-checksum-type"].ToString() is "" or "FULL_OBJECT";
        var google = CoversBody(headers) ? headers["x-goog-hash"] : default;
        var crc32C = OfAmazon("x-amz-checksum-crc32c", ChecksumKind.Crc32C) ?? OfGoogle(google, "crc32c=", ChecksumKind.Crc32C);
        var all = new List<Checksum>();
        Add(ChecksumKind.Sha256, OfDigest(headers["Repr-Digest"]) ?? OfAmazon("x-amz-checksum-sha256", ChecksumKind.Sha256));

        // The MD5 that Google sends besides a CRC-32C covers the same bytes and would cost twenty times as much.
        Add(ChecksumKind.Md5, OfContent(headers) ?? (crc32C is null ? OfGoogle(google, "md5=", ChecksumKind.Md5) : null));
        Add(ChecksumKind.Crc32, OfAmazon("x-amz-checksum-crc32", ChecksumKind.Crc32));
        Add(ChecksumKind.Crc64Nvme, OfAmazon("x-amz-checksum-crc64nvme", ChecksumKind.Crc64Nvme));
        Add(ChecksumKind.Crc32C, crc32C);
        Add(ChecksumKind.Sha1, OfAmazon("x-amz-checksum-sha1", ChecksumKind.Sha1));
        return all.Count == 0 ? null : new ObjectChecksums(all);

        byte[]? OfAmazon(string name, ChecksumKind kind) => isWhole ? Decode(headers[name].ToString(), kind) : null;

        void Add(ChecksumKind kind, byte[]? value)
        {
            if (value is not null)
            {
                all.Add(new Checksum(kind, value));
            }
        }
    }

    /// <summary>The checksum of a kind; null if storage sent none.</summary>
    public byte[]? Find(ChecksumKind kind)
    {
        foreach (var checksum in All)
        {
            if (checksum.Kind == kind)
            {
                return checksum.Value;
            }
        }

        return null;
    }

    /// <summary>Whether both contain a checksum of the same kind and the values differ.</summary>
    public bool Contradict(ObjectChecksums? other) =>
        other is not null && All.Any(checksum => other.Find(checksum.Kind) is { } value && !checksum.Value.AsSpan().SequenceEqual(value));

    /// <summary>The MD5 of the whole object. In a part <c>Content-MD5</c> covers the part; Azure then sends that of the object under another name.</summary>
    private static byte[]? OfContent(IHeaderDictionary headers) =>
        (headers.ContentRange.Count == 0 ? Decode(headers.ContentMD5.ToString(), ChecksumKind.Md5) : null) ?? Decode(headers["x-ms-blob-content-md5"].ToString(), ChecksumKind.Md5);

    /// <summary>Google's checksums are those of the stored bytes. If it decompresses an object, it sends others.</summary>
    private static bool CoversBody(IHeaderDictionary headers) =>
        headers["x-goog-stored-content-encoding"].ToString() is "" or "identity" || headers.ContentEncoding.Count > 0;

    /// <summary>A member of Google's list, which may have several lines.</summary>
    private static byte[]? OfGoogle(StringValues fields, string key, ChecksumKind kind)
    {
        foreach (var member in string.Join(',', fields.ToArray()).Split(',', StringSplitOptions.TrimEntries))
        {
            if (member.StartsWith(key, StringComparison.Ordinal))
            {
                return Decode(member[key.Length..], kind);
            }
        }

        return null;
    }

    /// <summary>The member <c>sha-256</c> of a structured dictionary whose values are byte sequences (RFC 9651, section 3.3.5).</summary>
    private static byte[]? OfDigest(IEnumerable<string?> fields)
    {
        const string Key = "sha-256=:";
        foreach (var member in string.Join(',', fields).Split(',', StringSplitOptions.TrimEntries))
        {
            if (member.StartsWith(Key, StringComparison.Ordinal) && member.Length > Key.Length && member.EndsWith(':'))
            {
                return Decode(member[Key.Length..^1], ChecksumKind.Sha256);
            }
        }

        return null;
    }

    private static byte[]? Decode(string text, ChecksumKind kind) => ChecksumText.Decode(text, Checksum.GetLength(kind));
}
