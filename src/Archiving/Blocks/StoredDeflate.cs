using System.Buffers.Binary;

namespace Gateway.Archiving.Blocks;

/// <summary>Stored deflate blocks (RFC 1951, section 3.2.4), none of them marked as the stream's last.</summary>
internal sealed class StoredDeflate : StoredBlock
{
    public static readonly StoredDeflate Instance = new();

    // BFINAL 0, BTYPE 00 and padding to the byte; LEN; NLEN.
    private const int PieceHeader = 5;

    private const int MaxPiece = 65_535;

    /// <summary>The empty last block that ends a deflate stream: BFINAL 1, BTYPE 00, LEN 0.</summary>
    public static ReadOnlySpan<byte> Final => [1, 0, 0, 0xFF, 0xFF];

    public override int HeaderLength => PieceHeader;

    public override int EncodedLength(int plainLength) => plainLength + ((plainLength + MaxPiece - 1) / MaxPiece * PieceHeader);

    protected override int WriteInPlace(Span<byte> output, int plainLength)
    {
        // The first piece is already in position. Each further one moves by the headers before it, the last one first.
        for (var piece = (plainLength - 1) / MaxPiece; piece >= 0; piece--)
        {
            var start = piece * MaxPiece;
            var length = Math.Min(plainLength - start, MaxPiece);
            var header = output[(start + (piece * PieceHeader))..];
            if (piece > 0)
            {
                output.Slice(PieceHeader + start, length).CopyTo(header[PieceHeader..]);
            }

            header[0] = 0;
            BinaryPrimitives.WriteUInt16LittleEndian(header[1..], (ushort)length);
            BinaryPrimitives.WriteUInt16LittleEndian(header[3..], (ushort)~length);
        }

        return EncodedLength(plainLength);
    }
}
