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

    /// <summary>What was known of an archive has turned out wrong.</summary>
    /// <returns>A new state, in which nothing is known.</returns>
    public ResumeState Forget(ResumeState state)
    {
        state.Forget();
        var fresh = Create(state.Archive, isDoubted: true);
        if (state.ETag is { } etag && ReferenceEquals(Find(state.Archive), state))
        {
            _archives.Remove(etag);
            return Add(fresh);
        }

        return fresh;
    }

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

    private ResumeState Add(ResumeState state) => _archives.GetOrCreate(state.ETag!, entry =>
    {
        entry.Size = GetSize(state.Archive);
        return state;
    })!;

    private async Task<ResumeState> LearnEndAsync(ResumeState state, CancellationToken cancellationToken)
    {
        if (shared is not null && state is { ETag: not null, Layout: not null, End: null, IsDoubted: false })
        {
            await shared.LearnEndAsync(state, cancellationToken);
        }

        return state;
    }
}
