using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Caching;

/// <summary>
/// Signs what replicas share (HMAC-SHA-256 over the key of an entry, its expiry and its value). Redis is not trusted: someone who can
/// write to it can neither create an entry, nor change one, nor move one to another key, nor extend its lifetime.
/// </summary>
/// <param name="keys">The first one signs, all are accepted.</param>
internal sealed class CacheEntrySigner(byte[][] keys)
{
    /// <summary>Length that signing adds to a value, in bytes.</summary>
    public const int Overhead = ExpiresLength + MacLength;

    private const int ExpiresLength = sizeof(long);
    private const int MacLength = HMACSHA256.HashSizeInBytes;

    /// <summary>The expiry, the value, and the signature of both by the first key.</summary>
    public byte[] Sign(string key, DateTimeOffset expires, ReadOnlySpan<byte> value)
    {
        var entry = new byte[value.Length + Overhead];
        BinaryPrimitives.WriteInt64BigEndian(entry, expires.ToUnixTimeMilliseconds());
        value.CopyTo(entry.AsSpan(ExpiresLength));
        Mac(keys[0], key, entry.AsSpan(..^MacLength), entry.AsSpan(^MacLength..));
        return entry;
    }

    /// <summary>The value.</summary>
    /// <returns>Null if none of the keys has signed the entry under this key, or if it has expired.</returns>
    public byte[]? Open(string key, byte[]? entry, DateTimeOffset now)
    {
        if (entry is null || entry.Length < Overhead)
        {
            return null;
        }

        var signed = entry.AsSpan(..^MacLength);
        Span<byte> mac = stackalloc byte[MacLength];
        foreach (var secret in keys)
        {
            Mac(secret, key, signed, mac);
            if (CryptographicOperations.FixedTimeEquals(mac, entry.AsSpan(^MacLength..)))
            {
                return BinaryPrimitives.ReadInt64BigEndian(signed) > now.ToUnixTimeMilliseconds() ? signed[ExpiresLength..].ToArray() : null;
            }
        }

        return null;
    }

    private static void Mac(byte[] secret, string key, ReadOnlySpan<byte> signed, Span<byte> mac)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hash.AppendData("gateway cache entry 2\0"u8);
        hash.AppendData(Encoding.UTF8.GetBytes(key));
        hash.AppendData([0]);
        hash.AppendData(signed);
        hash.GetHashAndReset(mac);
    }
}
