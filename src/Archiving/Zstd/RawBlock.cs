using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Zstd;

/// <summary>A raw block of a Zstandard frame, not marked as the frame's last (RFC 8878, section 3.1.1.2).</summary>
internal sealed class RawBlock : StoredBlock
{
    public static readonly RawBlock Instance = new();

    /// <summary>The empty last block that ends a frame: Last_Block 1, Block_Type 0 (raw), Block_Size 0.</summary>
    public static ReadOnlySpan<byte> Final => [1, 0, 0];

    /// <summary>Length of a block's header in bytes.</summary>
    public const int Header = 3;

    public override int HeaderLength => Header;

    public override int EncodedLength(int plainLength) => plainLength == 0 ? 0 : HeaderLength + plainLength;

    protected override int WriteInPlace(Span<byte> output, int plainLength)
    {
        WriteHeader(output, plainLength, isLast: false);
        return EncodedLength(plainLength);
    }

    /// <summary>Last_Block, Block_Type 0 (raw), Block_Size.</summary>
    public static void WriteHeader(Span<byte> output, int length, bool isLast)
    {
        var bits = (length << 3) | (isLast ? 1 : 0);
        (output[0], output[1], output[2]) = ((byte)bits, (byte)(bits >> 8), (byte)(bits >> 16));
    }
}
