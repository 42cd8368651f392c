using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Zstd;

/// <summary>
/// One Zstandard frame of raw blocks (RFC 8878, section 3.1.1), because some readers stop after the first frame.
/// </summary>
/// <remarks>The frame has no checksum. It would cover all bytes from the first one on, and so could not be computed for an archive
/// that is resumed at an arbitrary byte.</remarks>
internal sealed class ZstdStoreWriter : BlockFormatWriter
{
    /// <summary>Length of the frame's header in bytes if it states the content size.</summary>
    public const int HeaderLength = 4 + 1 + 1 + 8;

    // Frame_Content_Size_flag 3: eight bytes. No Single_Segment_flag: readers would need a window as large as the content.
    private const byte SizeFlag = 3 << 6;

    // A window of 128 KiB: 2^(10 + 7) bytes. No block may be larger.
    private const byte Window = 7 << 3;

    /// <summary>Begins or resumes a frame.</summary>
    /// <param name="output">Where the frame is written.</param>
    /// <param name="blocks">Writes blocks to the output.</param>
    /// <param name="contentSize">Uncompressed bytes of the frame. If null, they are not yet known and the header does not state them; some
    /// readers then require an explicit upper limit.</param>
    public ZstdStoreWriter(PipeWriter output, BlockWriter blocks, long? contentSize)
        : base(output, blocks)
    {
        if (blocks.Offset == 0)
        {
            blocks.Then(0, output => WriteHeader(output, contentSize));
        }
    }

    /// <summary>The length of a frame that states its content size.</summary>
    public static long EncodedLength(long plainLength) => checked(GetOffset(plainLength) + RawBlock.Final.Length);

    /// <summary>Offset in the frame of a byte of the content; at the beginning of a block, the offset of the block's header.</summary>
    public static long GetOffset(long plainOffset) =>
        plainOffset == 0 ? 0 : checked(HeaderLength + RawBlock.Instance.EncodedLength(plainOffset, ArchiveRecipe.StoreBlockSize));

    /// <summary>Offset in the content of the block that contains a byte of the frame.</summary>
    public static long BlockAt(long offset, long plainLength)
    {
        var block = Math.Max(offset - HeaderLength, 0) / RawBlock.Instance.EncodedLength(ArchiveRecipe.StoreBlockSize);
        return Math.Min(block, plainLength / ArchiveRecipe.StoreBlockSize) * ArchiveRecipe.StoreBlockSize;
    }

    protected override void WriteEnd(uint crc, long plainLength) => Output.Write(RawBlock.Final);

    private static int WriteHeader(PipeWriter output, long? contentSize)
    {
        var header = output.GetSpan(HeaderLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header, StoredFrame.Magic);
        header[4] = contentSize is null ? (byte)0 : SizeFlag;
        header[5] = Window;
        BinaryPrimitives.WriteInt64LittleEndian(header[6..], contentSize ?? 0);
        var length = contentSize is null ? 6 : HeaderLength;
        output.Advance(length);
        return length;
    }
}
