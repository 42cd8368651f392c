using Gateway.Archiving;
using Gateway.Archiving.Resuming;
using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Resuming;

/// <summary>What was recorded about archives while they were written, by ETag. An ETag identifies every byte, so an entry never becomes stale;
/// a missing entry only makes resuming slower.</summary>
/// <remarks>At most some 16 MiB in total, least recently used entries are removed first.</remarks>
/// <param name="shared">What other replicas recorded; null without Redis.</param>
internal sealed class ResumeStateCache(DistributedResumeCache? shared = null) : IDisposable
{
    private const long MaxBytes = 16 << 20;

    // Measured on the heap; ResumeStateCacheTests verifies it.
    private const int BytesPerArchive = 1450;
    private const int BytesPerEntry = 75;
    private const int BytesPerResult = 90;
    private const int BytesPerHash = 140;
    private const int BytesPerCheckpoint = 48;

    private readonly MemoryCache _archives = new(new MemoryCacheOptions { SizeLimit = MaxBytes });

    // Adding and replacing a state are one step each, so that all requests for one archive share one state.
    private readonly Lock _lock = new();

    /// <summary>Which versions this process has sent; null if replicas share a Redis, because another one may have sent others.</summary>
    public SentVersions? Versions { get; } = shared is null ? new() : null;

    /// <summary>What is known of an archive: here, and of its end also what other replicas know. An archive that is only described is not kept.</summary>
    public async Task<ResumeState> FindAsync(ArchiveIdentity archive, CancellationToken cancellationToken) =>
        await LearnEndAsync(Find(archive) ?? Create(archive), cancellationToken);

    /// <summary>The same for an archive that is made now: what is learned of it is kept.</summary>
    public async Task<ResumeState> GetOrAddAsync(ArchiveIdentity archive, CancellationToken cancellationToken) =>
        await LearnEndAsync(archive is { ETag: not null, Layout: not null } ? Find(archive) ?? Add(Create(archive)) : Create(archive), cancellationToken);

    /// <summary>Adds what other replicas know about the way to a byte of the archive.</summary>
    public Task LearnAsync(ResumeState state, long from, CancellationToken cancellationToken) =>
        shared?.LearnAsync(state, from, cancellationToken) ?? Task.CompletedTask;

    /// <summary>Discards what was known of an archive, because it has turned out wrong.</summary>
    /// <returns>The state that all requests share from now on; only what was learned since is known in it.</returns>
    public ResumeState Forget(ResumeState state)
    {
        state.Forget();
        if (state.ETag is not { } etag)
        {
            return Create(state.Archive, isDoubted: true);
        }

        lock (_lock)
        {
            if (Find(state.Archive) is { } other && !ReferenceEquals(other, state))
            {
                return other;
            }

            var fresh = Create(state.Archive, isDoubted: true);
            _archives.Set(etag, fresh, new MemoryCacheEntryOptions { Size = GetSize(state.Archive) });
            return fresh;
        }
    }

    /// <summary>An archive was written completely. That is true whatever was known of it, so a state that was discarded meanwhile passes it on.</summary>
    /// <param name="state">The archive.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="hash">Their SHA-256, where a client wanted it.</param>
    public void SetEnd(ResumeState state, long length, byte[]? hash) => (state.IsForgotten ? Find(state.Archive) ?? state : state).SetEnd(length, hash);

    /// <summary>The memory of an archive's state with its layout, which contains every entry's name.</summary>
    public static long GetSize(ArchiveIdentity archive)
    {
        var layout = archive.Layout!;
        var perEntry = BytesPerEntry + (layout.Recipe.Format == ArchiveFormat.Zip ? BytesPerResult : 0) + (archive.NeedsHashes ? BytesPerHash : 0);
        return BytesPerArchive
            + (layout.PlainLength / CheckpointIndex.Interval * BytesPerCheckpoint)
            + layout.Entries.Sum(entry => (sizeof(char) * (long)entry.Name.Length) + perEntry);
    }

    public void Dispose() => _archives.Dispose();

    private ResumeState? Find(ArchiveIdentity archive) => archive.ETag is { } etag ? _archives.Get<ResumeState>(etag) : null;

    private ResumeState Create(ArchiveIdentity archive, bool isDoubted = false) =>
        new(archive, shared is null || archive.ETag is null || archive.Layout is null ? null : shared.Publish) { IsDoubted = isDoubted };

    private ResumeState Add(ResumeState state)
    {
        lock (_lock)
        {
            return Find(state.Archive) ?? _archives.Set(state.ETag!, state, new MemoryCacheEntryOptions { Size = GetSize(state.Archive) });
        }
    }

    private async Task<ResumeState> LearnEndAsync(ResumeState state, CancellationToken cancellationToken)
    {
        if (shared is not null && state is { ETag: not null, Layout: not null, End: null, IsDoubted: false })
        {
            await shared.LearnEndAsync(state, cancellationToken);
        }

        return state;
    }
}
