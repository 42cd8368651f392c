using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Zstd;

/// <summary>A block of a Zstandard frame that holds its bytes as they are, not marked as the frame's last (RFC 8878, section 3.1.1.2).</summary>
internal sealed class RawBlock : StoredForm
{
    public static readonly RawBlock Instance = new();

    /// <summary>The empty last block that ends a frame: Last_Block 1, Block_Type 0 (raw), Block_Size 0.</summary>
    public static ReadOnlySpan<byte> Final => [1, 0, 0];

    public override int HeaderLength => 3;

    public override int EncodedLength(int plainLength) => plainLength == 0 ? 0 : HeaderLength + plainLength;

    protected override int WriteInPlace(Span<byte> output, int plainLength)
    {
        // Last_Block 0, Block_Type 0 (raw), Block_Size.
        var bits = plainLength << 3;
        (output[0], output[1], output[2]) = ((byte)bits, (byte)(bits >> 8), (byte)(bits >> 16));
        return EncodedLength(plainLength);
    }
}
