using System.Security.Cryptography;
using System.Text;

namespace Gateway.Caching;

/// <summary>
/// Signs what replicas tell each other (HMAC-SHA-256 over the key it is kept under and the value), so that nobody who can write to the
/// cache can have us send what is not true. Without keys it only shows what was damaged.
/// </summary>
internal sealed class CacheEntrySigner(byte[][] keys)
{
    private const int Length = HMACSHA256.HashSizeInBytes;

    private static readonly byte[] Public = "no key is configured"u8.ToArray();

    private readonly byte[][] _keys = keys.Length > 0 ? keys : [Public];

    /// <summary>The value with its signature by the first key.</summary>
    public byte[] Put(string key, ReadOnlySpan<byte> value) => [.. value, .. Sign(_keys[0], key, value)];

    /// <summary>The value.</summary>
    /// <returns>Null when none of the keys has signed it under this key.</returns>
    public byte[]? Open(string key, byte[]? sealedValue)
    {
        if (sealedValue is null || sealedValue.Length < Length)
        {
            return null;
        }

        var value = sealedValue.AsSpan(..^Length);
        foreach (var secret in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(Sign(secret, key, value), sealedValue.AsSpan(^Length..)))
            {
                return value.ToArray();
            }
        }

        return null;
    }

    private static byte[] Sign(byte[] secret, string key, ReadOnlySpan<byte> value)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hash.AppendData("gateway shared archive 1\0"u8);
        hash.AppendData(Encoding.UTF8.GetBytes(key));
        hash.AppendData([0]);
        hash.AppendData(value);
        return hash.GetHashAndReset();
    }
}
