using Gateway.Archiving.Layout;

namespace Gateway.Resuming;

/// <summary>What was learned of an archive while it was made. All requests that make the archive share it; any number of threads. It holds at most one hash for each
/// entry, and <see cref="ResumeStateCache"/> bounds the total.</summary>
/// <param name="reached">Called for every checkpoint that is made here.</param>
internal sealed class ArchiveFacts(Action<ArchiveCheckpoint>? reached = null)
{
    private readonly Lock _lock = new();

    // Most archives have no receipt, and need none.
    private Dictionary<int, byte[]>? _hashes;

    /// <summary>From where it can be continued.</summary>
    public ArchiveTrail Trail { get; } = new(reached);

    /// <summary>SHA-256 of an entry that was read whole, by its place, where a receipt asks for it; null when it is not known.</summary>
    public byte[]? HashOf(int entry)
    {
        lock (_lock)
        {
            return _hashes?.GetValueOrDefault(entry);
        }
    }

    /// <summary>Notes the SHA-256 of an entry.</summary>
    public void AddHash(int entry, byte[] hash)
    {
        lock (_lock)
        {
            (_hashes ??= [])[entry] = hash;
        }
    }
}
