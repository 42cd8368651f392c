using Gateway.Archiving;
using Gateway.Archiving.Layout;
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

    /// <summary>What is known about an archive: locally, and for its end also what other replicas know.</summary>
    /// <param name="etag">Identifies it; without one nothing is stored.</param>
    /// <param name="layout">The archive's layout.</param>
    /// <param name="needsHashes">Whether it includes the hashes of its entries.</param>
    /// <param name="isMade">Whether it will be written now; a mere query is not worth storing.</param>
    /// <param name="cancellationToken">Cancels the wait for other replicas' data.</param>
    public async Task<ResumeState> FindAsync(string? etag, ArchiveLayout? layout, bool needsHashes, bool isMade, CancellationToken cancellationToken)
    {
        if (etag is null || layout is null)
        {
            return new ResumeState(null, layout, null);
        }

        if (!_archives.TryGetValue<ResumeState>(etag, out var archive) || archive is null)
        {
            archive = new ResumeState(etag, layout, shared is null ? null : shared.Tell) { NeedsHashes = needsHashes };
            if (isMade)
            {
                archive = _archives.GetOrCreate(etag, entry =>
                {
                    entry.Size = SizeOf(layout, needsHashes);
                    return archive;
                })!;
            }
        }

        if (shared is not null && archive is { End: null, IsDoubted: false })
        {
            await shared.LearnEndAsync(archive, cancellationToken);
        }

        return archive;
    }

    /// <summary>Adds what other replicas know about the way to a byte of the archive.</summary>
    public Task LearnAsync(ResumeState archive, long from, CancellationToken cancellationToken) =>
        shared?.LearnAsync(archive, from, cancellationToken) ?? Task.CompletedTask;

    /// <summary>The memory of an archive's state with its layout, which contains every entry's name.</summary>
    public static long SizeOf(ArchiveLayout layout, bool needsHashes)
    {
        var perEntry = BytesPerEntry + (layout.Recipe.Format == ArchiveFormat.Zip ? BytesPerResult : 0) + (needsHashes ? BytesPerHash : 0);
        return BytesPerArchive
            + (layout.PlainLength / ArchiveTrail.Interval * BytesPerCheckpoint)
            + layout.Entries.Sum(entry => (sizeof(char) * (long)entry.Name.Length) + perEntry);
    }

    public void Dispose() => _archives.Dispose();
}
