namespace Gateway.Archiving.Resuming;

/// <summary>What is known of an entry only when it has been made, and what the end of a zip archive repeats.</summary>
/// <param name="Crc">CRC-32 of its body.</param>
/// <param name="EncodedLength">Bytes of its body as they stand in the archive.</param>
public readonly record struct EntryResult(uint Crc, long EncodedLength);
