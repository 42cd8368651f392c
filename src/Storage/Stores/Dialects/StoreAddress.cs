using System.Globalization;
using System.Text;
using Gateway.Storage.Paths;

namespace Gateway.Storage.Stores.Dialects;

/// <summary>A URL within a store: the bucket's part of the path, and the key.</summary>
/// <param name="BucketPath">Where the bucket is listed: <c>/</c>, or the path that ends in the bucket's name.</param>
/// <param name="Key">The key, decoded; empty: the bucket itself.</param>
/// <param name="Path">The path as it is signed and sent.</param>
internal readonly record struct StoreAddress(string BucketPath, string Key, string Path)
{
    // Stores would read other bytes than the client has sent.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Finds the bucket in the address of a destination.</summary>
    /// <returns>The path of the bucket without a final slash; null if the address does not contain it.</returns>
    public static string? FindBucket(Uri address, StoreOptions options)
    {
        // The path decides first: the host of a server may begin with the name of its bucket too, and then a bucket of the path would be taken for a key.
        var segments = address.AbsolutePath.Split('/', 4);
        return segments.Length > 1 && segments[1] == options.Bucket ? $"/{segments[1]}"

            // An emulator of Azure has the account in the path.
            : options.Kind == StoreKind.Azure && segments.Length > 2 && segments[2] == options.Bucket ? $"/{segments[1]}/{segments[2]}"

            // The host of Azure begins with the account, which may have the container's name.
            : options.Kind != StoreKind.Azure && address.Host.StartsWith(options.Bucket + ".", StringComparison.OrdinalIgnoreCase) ? ""
            : null;
    }

    /// <summary>Reads the URL of a request, as YARP's transforms have left it.</summary>
    /// <param name="address">The URL.</param>
    /// <param name="options">The store.</param>
    /// <param name="destination">The address of the destination, which decides where the bucket is; null: the URL itself is such an address.</param>
    /// <returns>Null if a segment is a dot segment, or is not UTF-8 when it is decoded once: the store would read another key, perhaps outside the bucket.</returns>
    public static StoreAddress? Parse(Uri address, StoreOptions options, Uri? destination = null)
    {
        if (FindBucket(destination ?? address, options) is not { } bucket || !address.AbsolutePath.StartsWith(bucket, StringComparison.Ordinal))
        {
            return null;
        }

        // A store computes the signature over the decoded key, encoded again with everything but unreserved characters escaped, and some reject or
        // misread what YARP leaves unescaped: "=" and "+", for example.
        var path = new StringBuilder(address.AbsolutePath.Length);
        var key = new StringBuilder(address.AbsolutePath.Length);
        foreach (var segment in address.AbsolutePath[1..].Split('/'))
        {
            if (Decode(segment) is not { } decoded || decoded is "." or ".." || DotSegments.IsIn(segment))
            {
                return null;
            }

            // The signature covers the decoded key. Some stores verify it with the path as it was sent, so an encoded slash must become a slash.
            path.Append('/').Append(Uri.EscapeDataString(decoded).Replace("%2F", "/", StringComparison.Ordinal));
            key.Append('/').Append(decoded);
        }

        // A bucket's name needs no escaping.
        return key.Length <= bucket.Length
            ? new(bucket.Length == 0 ? "/" : bucket, "", path.ToString())
            : new(bucket.Length == 0 ? "/" : bucket, key.ToString(bucket.Length + 1, key.Length - bucket.Length - 1), path.ToString());
    }

    /// <summary>Decodes once (RFC 3986, section 2.1).</summary>
    private static string? Decode(string segment)
    {
        if (!segment.Contains('%', StringComparison.Ordinal))
        {
            return segment;
        }

        var bytes = new byte[segment.Length];
        var length = 0;
        for (var i = 0; i < segment.Length; i++)
        {
            var isEscape = segment[i] == '%' && i + 2 < segment.Length && char.IsAsciiHexDigit(segment[i + 1]) && char.IsAsciiHexDigit(segment[i + 2]);
            bytes[length++] = isEscape ? byte.Parse(segment.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : (byte)segment[i];
            i += isEscape ? 2 : 0;
        }

        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
