namespace Gateway.Archiving.Resuming;

/// <summary>What is known about an entry only after it was written, and the end of a zip archive repeats.</summary>
/// <param name="Crc">CRC-32 of its body.</param>
/// <param name="EncodedLength">Length of its body in the archive, in bytes.</param>
public readonly record struct EntryResult(uint Crc, long EncodedLength);
