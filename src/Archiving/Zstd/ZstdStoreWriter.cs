using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Zstd;

/// <summary>
/// One Zstandard frame of raw blocks (RFC 8878, section 3.1.1): readers that stop after the first frame see everything.
/// </summary>
/// <remarks>The frame has no checksum. It would cover all bytes from the first one on, and could not be computed for an archive that is
/// resumed at any byte.</remarks>
internal sealed class ZstdStoreWriter : BlockFormatWriter
{
    /// <summary>Bytes of the frame's header, if it states the size of the content.</summary>
    public const int HeaderLength = 4 + 1 + 1 + 8;

    // Frame_Content_Size_flag 3: eight bytes. No Single_Segment_flag: readers would need a window as large as the content.
    private const byte SizeFlag = 3 << 6;

    // A window of 128 KiB: 2^(10 + 7) bytes. No block may be larger.
    private const byte Window = 7 << 3;

    /// <summary>Begins a frame, or goes on within one.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="blocks">In front of it.</param>
    /// <param name="contentSize">Plain bytes of the frame. If null, they are not known yet and the header does not state them: some
    /// readers then need to be told an upper limit.</param>
    public ZstdStoreWriter(PipeWriter output, BlockWriter blocks, long? contentSize)
        : base(output, blocks)
    {
        if (blocks.Offset == 0)
        {
            blocks.Then(0, output => WriteHeader(output, contentSize));
        }
    }

    /// <summary>The length of a frame that states the size of its content.</summary>
    public static long EncodedLength(long plainLength) => checked(GetOffset(plainLength) + RawBlock.Final.Length);

    /// <summary>Where a byte of the content is in the frame; at the beginning of a block, where the block's header is.</summary>
    public static long GetOffset(long plainOffset) =>
        plainOffset == 0 ? 0 : checked(HeaderLength + RawBlock.Instance.EncodedLength(plainOffset, ArchiveRecipe.StoreBlockSize));

    /// <summary>Where the block begins in the content that holds a byte of the frame.</summary>
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
