using System.Buffers.Binary;
using System.Buffers.Text;

namespace Gateway.Storage.Objects;

/// <summary>Checksums of a whole object that storage sends in its response headers.</summary>
/// <param name="Sha256">From <c>Repr-Digest</c> (RFC 9530) or <c>x-amz-checksum-sha256</c>.</param>
/// <param name="Md5">From <c>Content-MD5</c> (RFC 1864).</param>
/// <param name="Crc32">From <c>x-amz-checksum-crc32</c>.</param>
public sealed record ObjectChecksums(byte[]? Sha256, byte[]? Md5, uint? Crc32)
{
    private const int Sha256Length = 32;
    private const int Md5Length = 16;

    /// <summary>Reads them from the headers of a 200, where <c>Content-MD5</c> covers the whole object; in a part it does not.</summary>
    /// <returns>Null if there are none; invalid ones are ignored.</returns>
    public static ObjectChecksums? From(IHeaderDictionary headers)
    {
        // A checksum of the parts' checksums cannot be compared with the bytes.
        var isWhole = headers["x-amz-checksum-type"].ToString() is "" or "FULL_OBJECT";
        var sha256 = ReprDigest(headers["Repr-Digest"]) ?? (isWhole ? Decode(headers["x-amz-checksum-sha256"].ToString(), Sha256Length) : null);
        var md5 = Decode(headers.ContentMD5.ToString(), Md5Length);
        var crc32 = isWhole ? Decode(headers["x-amz-checksum-crc32"].ToString(), sizeof(uint)) : null;
        return sha256 is null && md5 is null && crc32 is null
            ? null
            : new ObjectChecksums(sha256, md5, crc32 is null ? null : BinaryPrimitives.ReadUInt32BigEndian(crc32));
    }

    /// <summary>Whether both contain a checksum of the same kind and the values differ.</summary>
    public bool Contradict(ObjectChecksums? other) =>
        (Sha256 is not null && other?.Sha256 is { } sha256 && !Sha256.AsSpan().SequenceEqual(sha256))
        || (Md5 is not null && other?.Md5 is { } md5 && !Md5.AsSpan().SequenceEqual(md5))
        || (Crc32 is not null && other?.Crc32 is { } crc32 && crc32 != Crc32);

    /// <summary>The member <c>sha-256</c> of a structured dictionary whose values are byte sequences (RFC 9651, section 3.3.5).</summary>
    private static byte[]? ReprDigest(IEnumerable<string?> fields)
    {
        const string Key = "sha-256=:";
        foreach (var member in string.Join(',', fields).Split(',', StringSplitOptions.TrimEntries))
        {
            if (member.StartsWith(Key, StringComparison.Ordinal) && member.Length > Key.Length && member.EndsWith(':'))
            {
                return Decode(member[Key.Length..^1], Sha256Length);
            }
        }

        return null;
    }

    private static byte[]? Decode(string text, int length)
    {
        var bytes = new byte[length];
        return text.Length == Base64.GetMaxEncodedToUtf8Length(length) && Convert.TryFromBase64String(text, bytes, out var written) && written == length ? bytes : null;
    }
}
