namespace Gateway.Resuming;

/// <summary>What is known only after an archive has been written completely.</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Sha256">Its hash, if a client requested it.</param>
/// <param name="IsHashFromReplica">Whether the hash comes from another replica and was not computed here.</param>
internal sealed record ArchiveEnd(long Length, byte[]? Sha256, bool IsHashFromReplica = false);
