using Gateway.Archiving.Layout;

namespace Gateway.Resuming;

/// <summary>What was recorded about an archive while it was written, shared by all requests that write it. Thread-safe. It holds at most one
/// hash for each entry, and <see cref="ResumeStateCache"/> limits the total.</summary>
/// <param name="reached">Called for every checkpoint that is recorded here.</param>
internal sealed class ArchiveFacts(Action<ArchiveCheckpoint>? reached = null)
{
    private readonly Lock _lock = new();

    // Most archives have no receipt, and need none.
    private Dictionary<int, byte[]>? _hashes;

    /// <summary>Where it can be resumed.</summary>
    public ArchiveTrail Trail { get; } = new(reached);

    /// <summary>SHA-256 of an entry that was read completely, by index, if a receipt needs it; null if unknown.</summary>
    public byte[]? HashOf(int entry)
    {
        lock (_lock)
        {
            return _hashes?.GetValueOrDefault(entry);
        }
    }

    /// <summary>Records the SHA-256 of an entry.</summary>
    public void AddHash(int entry, byte[] hash)
    {
        lock (_lock)
        {
            (_hashes ??= [])[entry] = hash;
        }
    }
}
