using System.IO.Hashing;

namespace Gateway.Archiving.Resuming;

/// <summary>
/// A place in an archive, at the end of a block, from which it can be written without generating what precedes it. Equal plans and
/// recipes have equal checkpoints.
/// </summary>
/// <param name="PlainOffset">Offset in the uncompressed archive.</param>
/// <param name="Offset">Offset in the archive itself.</param>
/// <param name="Crc">CRC-32 of the uncompressed bytes before it: of the whole archive if it is compressed as one stream, of the
/// current entry if entries are compressed separately.</param>
/// <param name="BlockCrc">CRC-32 of the encoded block before it. The block is encoded again and compared before the checkpoint
/// is trusted.</param>
public readonly record struct Checkpoint(long PlainOffset, long Offset, uint Crc, uint BlockCrc)
{
    /// <summary>The checkpoint after this block.</summary>
    internal Checkpoint Behind(ReadOnlySpan<byte> block) => this with { BlockCrc = Crc32.HashToUInt32(block) };
}
