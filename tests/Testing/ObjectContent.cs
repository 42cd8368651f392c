using System.Security.Cryptography;

namespace Testing;

/// <summary>The bytes of an object of any size, computed from their offset, so that 5 GiB need no memory.</summary>
internal sealed class ObjectContent(long size, int seed, bool compressible = true)
{
    private const int PatternLength = 1 << 20;
    private static readonly byte[][] Patterns = [Make(false), Make(true)];

    private readonly byte[] _pattern = Patterns[compressible ? 1 : 0];

    // Bytes provided by the test.
    private byte[]? _bytes;

    public long Size { get; } = size;

    public static ObjectContent Of(byte[] bytes) => new(bytes.Length, seed: 0) { _bytes = bytes };

    /// <summary>Fills the buffer with the bytes from an offset on.</summary>
    public void Read(long offset, Span<byte> buffer)
    {
        if (_bytes is not null)
        {
            _bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
            return;
        }

        // A prime step per MiB and seed makes equal stretches different.
        while (!buffer.IsEmpty)
        {
            var start = (int)((offset + (offset / PatternLength * 7919) + (seed * 104729L)) % PatternLength);
            var length = (int)Math.Min(Math.Min(buffer.Length, PatternLength - start), PatternLength - (offset % PatternLength));
            _pattern.AsSpan(start, length).CopyTo(buffer);
            buffer = buffer[length..];
            offset += length;
        }
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        Read(0, bytes);
        return bytes;
    }

    /// <summary>SHA-256 of the whole, in lower-case hexadecimal.</summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        for (long offset = 0; offset < Size;)
        {
            var length = (int)Math.Min(buffer.Length, Size - offset);
            Read(offset, buffer.AsSpan(0, length));
            hash.AppendData(buffer, 0, length);
            offset += length;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Make(bool compressible)
    {
        var random = new Random(20261122);
        var bytes = new byte[PatternLength];
        random.NextBytes(bytes);
        if (compressible)
        {
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)"etaoin shrdlu\n01"[bytes[i] & 15];
            }
        }

        return bytes;
    }
}
