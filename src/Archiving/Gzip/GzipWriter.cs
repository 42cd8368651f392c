using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Gzip;

/// <summary>
/// One gzip member (RFC 1952) around deflate blocks that form a single stream, because some readers stop after the first
/// member of a gzip file.
/// </summary>
internal sealed class GzipWriter : BlockFormatWriter
{
    // CRC32 and ISIZE.
    private const int TrailerLength = 8;

    /// <summary>Begins or resumes a member.</summary>
    public GzipWriter(PipeWriter output, BlockWriter blocks)
        : base(output, blocks)
    {
        if (blocks.Offset == 0)
        {
            blocks.Then(0, static output =>
            {
                output.Write(Header);
                return Header.Length;
            });
        }
    }

    // Magic, deflate, no flags, no time, no hint about the level, system unknown (RFC 1952, section 2.3).
    private static ReadOnlySpan<byte> Header => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];

    /// <summary>The length of a member in which no block is compressed.</summary>
    public static long StoredLength(long plainLength, int blockSize) => checked(
        Header.Length + StoredDeflate.Instance.EncodedLength(plainLength, blockSize) + StoredDeflate.Final.Length + TrailerLength);

    protected override void WriteEnd(uint crc, long plainLength)
    {
        Output.Write(StoredDeflate.Final);
        Span<byte> trailer = stackalloc byte[TrailerLength];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)plainLength); // ISIZE is modulo 2^32
        Output.Write(trailer);
    }
}
