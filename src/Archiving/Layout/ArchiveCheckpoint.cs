namespace Gateway.Archiving.Layout;

/// <summary>
/// A place in an archive from which it can be made without making what stands before it. Equal plans and recipes have the same
/// ones.
/// </summary>
/// <param name="PlainOffset">Bytes of the plain archive before it.</param>
/// <param name="Offset">Bytes of the archive itself before it.</param>
/// <param name="Crc">CRC-32 of the plain bytes before it; 0 where the format has none.</param>
public readonly record struct ArchiveCheckpoint(long PlainOffset, long Offset, uint Crc);
