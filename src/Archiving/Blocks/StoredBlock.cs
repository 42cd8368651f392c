using System.Buffers.Binary;

namespace Gateway.Archiving.Blocks;

/// <summary>Deflate blocks that hold their bytes as they are (RFC 1951, section 3.2.4), none of them the stream's last.</summary>
internal static class StoredBlock
{
    // BFINAL 0, BTYPE 00 and padding to the byte; LEN; NLEN.
    public const int HeaderLength = 5;

    private const int MaxLength = 65_535;

    /// <summary>The empty last block that ends a deflate stream: BFINAL 1, BTYPE 00, LEN 0.</summary>
    public static ReadOnlySpan<byte> Final => [1, 0, 0, 0xFF, 0xFF];

    public static int EncodedLength(int plainLength) =>
        plainLength + ((plainLength + MaxLength - 1) / MaxLength * HeaderLength);

    public static int Write(ReadOnlySpan<byte> plain, Span<byte> output)
    {
        if (plain.IsEmpty)
        {
            return 0;
        }

        plain.CopyTo(output[HeaderLength..]);
        return WriteInPlace(output, plain.Length);
    }

    /// <summary>Stores plain bytes that stand in <paramref name="output"/> behind room for one header already.</summary>
    /// <param name="output">Has room for all headers.</param>
    /// <param name="plainLength">The bytes.</param>
    /// <param name="blockSize">They are stored as blocks of so many each, as if they had come one by one.</param>
    /// <returns>The bytes written.</returns>
    public static int WriteInPlace(Span<byte> output, int plainLength, int blockSize)
    {
        // The last one first: each moves on by the headers of those before it.
        var last = (plainLength - 1) / blockSize;
        for (var block = last; block >= 0; block--)
        {
            var length = Math.Min(plainLength - (block * blockSize), blockSize);
            var target = output[(block * EncodedLength(blockSize))..];
            if (block > 0)
            {
                output.Slice(HeaderLength + (block * blockSize), length).CopyTo(target[HeaderLength..]);
            }

            WriteInPlace(target, length);
        }

        return (last * EncodedLength(blockSize)) + EncodedLength(plainLength - (last * blockSize));
    }

    private static int WriteInPlace(Span<byte> output, int plainLength)
    {
        // The first piece stands where it belongs; each further one moves on by the headers before it, the last one first.
        for (var piece = (plainLength - 1) / MaxLength; piece >= 0; piece--)
        {
            var start = piece * MaxLength;
            var length = Math.Min(plainLength - start, MaxLength);
            var header = output[(start + (piece * HeaderLength))..];
            if (piece > 0)
            {
                output.Slice(HeaderLength + start, length).CopyTo(header[HeaderLength..]);
            }

            header[0] = 0;
            BinaryPrimitives.WriteUInt16LittleEndian(header[1..], (ushort)length);
            BinaryPrimitives.WriteUInt16LittleEndian(header[3..], (ushort)~length);
        }

        return EncodedLength(plainLength);
    }
}
