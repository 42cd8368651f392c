using System.IO.Pipelines;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Zstd;

/// <summary>Zstandard frames one after the other, each with its size and checksum (RFC 8878). Nothing stands around them: what a
/// cut leaves is told from a whole archive by what is in it, and by the connection that was cut.</summary>
internal sealed class ZstdWriter(PipeWriter output, BlockWriter blocks) : BlockFormatWriter(output, blocks)
{
    protected override void WriteEnd(uint crc, long plainLength)
    {
    }
}
