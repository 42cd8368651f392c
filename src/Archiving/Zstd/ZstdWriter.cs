using System.IO.Pipelines;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Zstd;

/// <summary>Consecutive Zstandard frames, each with its size and checksum (RFC 8878). There is no outer container, so a truncated
/// archive is recognized by the missing tar end and by the aborted connection.</summary>
internal sealed class ZstdWriter(PipeWriter output, BlockWriter blocks) : BlockFormatWriter(output, blocks)
{
    protected override void WriteEnd(uint crc, long plainLength)
    {
    }
}
