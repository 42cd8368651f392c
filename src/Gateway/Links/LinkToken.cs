using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace Gateway.Links;

/// <summary>
/// A link that contains everything: its expiry, the request, and a signature (HMAC-SHA-256) over both. It is signed, not
/// encrypted: anyone who has it can read it.
/// </summary>
internal static class LinkToken
{
    private const int ExpiresLength = sizeof(long);
    private const int MacLength = HMACSHA256.HashSizeInBytes;

    /// <summary>The version of the content.</summary>
    public const int Version = 2;

    /// <summary>Characters of a token for content of this length.</summary>
    public static int LengthFor(int content) => Base64Url.GetEncodedLength(ExpiresLength + content + MacLength);

    public static string Create(byte[] key, DateTimeOffset expires, ReadOnlySpan<byte> content)
    {
        var bytes = new byte[ExpiresLength + content.Length + MacLength];
        BinaryPrimitives.WriteInt64BigEndian(bytes, expires.ToUnixTimeSeconds());
        content.CopyTo(bytes.AsSpan(ExpiresLength));
        Sign(key, Version, bytes.AsSpan(..^MacLength), bytes.AsSpan(^MacLength..));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a token.</summary>
    /// <returns>Null if none of the keys has signed it as content of this version.</returns>
    public static (DateTimeOffset Expires, byte[] Content)? Open(IEnumerable<byte[]> keys, ReadOnlySpan<char> token, int version = Version)
    {
        if (!Base64Url.IsValid(token, out var length) || length < ExpiresLength + MacLength)
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(token);
        var signed = bytes.AsSpan(..^MacLength);
        var isSigned = false;
        Span<byte> mac = stackalloc byte[MacLength];
        foreach (var key in keys)
        {
            Sign(key, version, signed, mac);
            isSigned |= CryptographicOperations.FixedTimeEquals(mac, bytes.AsSpan(^MacLength..));
        }

        return isSigned
            ? (DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(signed)), signed[ExpiresLength..].ToArray())
            : null;
    }

    private static void Sign(byte[] key, int version, ReadOnlySpan<byte> bytes, Span<byte> mac)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);

        // So that a signature made for another purpose is not valid for a link.
        hash.AppendData(version == 1 ? "gateway bundle link 1\0"u8 : "gateway bundle link 2\0"u8);
        hash.AppendData(bytes);
        hash.GetHashAndReset(mac);
    }
}
