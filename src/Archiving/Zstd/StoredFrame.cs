using System.Buffers.Binary;
using System.IO.Hashing;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Zstd;

/// <summary>A Zstandard frame of raw blocks that begins with its size and ends with a checksum (RFC 8878, section 3.1.1).</summary>
internal sealed class StoredFrame : StoredBlock
{
    public static readonly StoredFrame Instance = new();

    /// <summary>The magic number of every frame.</summary>
    public const uint Magic = 0xFD2FB528;

    // Frame_Content_Size_flag 2 (four bytes), Single_Segment_flag, Content_Checksum_flag.
    private const byte Descriptor = (2 << 6) | (1 << 5) | (1 << 2);

    private const int FrameHeader = 4 + 1 + 4;
    private const int MaxBlock = 128 * 1024;
    private const int Checksum = 4;

    public override int HeaderLength => FrameHeader + RawBlock.Header;

    public override int EncodedLength(int plainLength) =>
        plainLength == 0 ? 0 : FrameHeader + plainLength + ((plainLength + MaxBlock - 1) / MaxBlock * RawBlock.Header) + Checksum;

    protected override int WriteInPlace(Span<byte> output, int plainLength)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(
            output[(EncodedLength(plainLength) - Checksum)..], (uint)XxHash64.HashToUInt64(output.Slice(HeaderLength, plainLength)));

        // The first block is already in position. Each further one moves by the headers before it, the last one first.
        var last = (plainLength - 1) / MaxBlock;
        for (var block = last; block >= 0; block--)
        {
            var start = block * MaxBlock;
            var length = Math.Min(plainLength - start, MaxBlock);
            var header = output[(FrameHeader + start + (block * RawBlock.Header))..];
            if (block > 0)
            {
                output.Slice(HeaderLength + start, length).CopyTo(header[RawBlock.Header..]);
            }

            RawBlock.WriteHeader(header, length, isLast: block == last);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(output, Magic);
        output[4] = Descriptor;
        BinaryPrimitives.WriteUInt32LittleEndian(output[5..], (uint)plainLength);
        return EncodedLength(plainLength);
    }
}
