namespace Gateway.Resuming;

/// <summary>What shows only when an archive has been made whole.</summary>
/// <param name="Length">Its bytes.</param>
/// <param name="Sha256">Their hash, if a client asked for it.</param>
/// <param name="IsHashLearned">Whether the hash is another replica's, and was not computed here.</param>
internal sealed record ArchiveEnd(long Length, byte[]? Sha256, bool IsHashLearned = false);
