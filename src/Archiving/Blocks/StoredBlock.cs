using System.Buffers.Binary;

namespace Gateway.Archiving.Blocks;

/// <summary>Deflate blocks that hold their bytes as they are (RFC 1951, section 3.2.4), none of them the stream's last.</summary>
internal static class StoredBlock
{
    // BFINAL 0, BTYPE 00 and padding to the byte; LEN; NLEN.
    private const int HeaderLength = 5;
    private const int MaxLength = 65_535;

    /// <summary>The empty last block that ends a deflate stream: BFINAL 1, BTYPE 00, LEN 0.</summary>
    public static ReadOnlySpan<byte> Final => [1, 0, 0, 0xFF, 0xFF];

    public static int EncodedLength(int plainLength) =>
        plainLength + ((plainLength + MaxLength - 1) / MaxLength * HeaderLength);

    public static int Write(ReadOnlySpan<byte> plain, Span<byte> output)
    {
        var written = 0;
        while (!plain.IsEmpty)
        {
            var length = Math.Min(plain.Length, MaxLength);
            output[written] = 0;
            BinaryPrimitives.WriteUInt16LittleEndian(output[(written + 1)..], (ushort)length);
            BinaryPrimitives.WriteUInt16LittleEndian(output[(written + 3)..], (ushort)~length);
            plain[..length].CopyTo(output[(written + HeaderLength)..]);
            written += HeaderLength + length;
            plain = plain[length..];
        }

        return written;
    }
}
