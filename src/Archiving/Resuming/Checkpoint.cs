using System.IO.Hashing;

namespace Gateway.Archiving.Resuming;

/// <summary>
/// A place in an archive, behind a block, from which it can be made without making what stands before it. Equal plans and recipes
/// have the same ones.
/// </summary>
/// <param name="PlainOffset">Bytes of the plain archive before it.</param>
/// <param name="Offset">Bytes of the archive itself before it.</param>
/// <param name="Crc">CRC-32 of the plain bytes before it: of the archive where it is compressed as one stream, of the entry it stands
/// in where each is compressed for itself.</param>
/// <param name="BlockCrc">CRC-32 of the block before it as it stands in the archive. It is made again and compared before a
/// checkpoint is trusted.</param>
public readonly record struct Checkpoint(long PlainOffset, long Offset, uint Crc, uint BlockCrc)
{
    /// <summary>The same place, behind this block.</summary>
    internal Checkpoint Behind(ReadOnlySpan<byte> block) => this with { BlockCrc = Crc32.HashToUInt32(block) };
}
