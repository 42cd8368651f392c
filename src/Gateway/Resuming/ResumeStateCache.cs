using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Resuming;

/// <summary>What was learned of archives while they were made, by ETag. An ETag names every byte, so what was once seen stays right;
/// what was forgotten only makes a resume slower.</summary>
/// <remarks>Bound: some 16 MiB for all, the least recently used go first.</remarks>
/// <param name="shared">What other replicas learned; null where there is no Redis.</param>
internal sealed class ResumeStateCache(DistributedResumeCache? shared = null) : IDisposable
{
    private const long MaxBytes = 16 << 20;

    // Measured on the heap: ResumeStateCacheTests compares.
    private const int BytesPerArchive = 1450;
    private const int BytesPerEntry = 75;
    private const int BytesPerResult = 90;
    private const int BytesPerHash = 140;
    private const int BytesPerCheckpoint = 48;

    private readonly MemoryCache _archives = new(new MemoryCacheOptions { SizeLimit = MaxBytes });

    /// <summary>Which versions this process has sent; null where replicas share a Redis, because another one may have sent others.</summary>
    public SentVersions? Versions { get; } = shared is null ? new() : null;

    /// <summary>What is known of an archive: here, and of its end also what other replicas know.</summary>
    /// <param name="etag">Names it; without one nothing is kept of it.</param>
    /// <param name="layout">Where everything stands in it.</param>
    /// <param name="needsHashes">Whether the hashes of its entries are part of it.</param>
    /// <param name="isMade">Whether it will be made now: what is only asked about is not worth remembering.</param>
    /// <param name="cancellationToken">Ends the wait for other replicas' knowledge.</param>
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

    /// <summary>Adds what other replicas know of the way to a byte of the archive.</summary>
    public Task LearnAsync(ResumeState archive, long from, CancellationToken cancellationToken) =>
        shared?.LearnAsync(archive, from, cancellationToken) ?? Task.CompletedTask;

    /// <summary>What a made archive costs, with the layout, which holds every entry's name.</summary>
    public static long SizeOf(ArchiveLayout layout, bool needsHashes)
    {
        var perEntry = BytesPerEntry + (layout.Recipe.Format == ArchiveFormat.Zip ? BytesPerResult : 0) + (needsHashes ? BytesPerHash : 0);
        return BytesPerArchive
            + (layout.PlainLength / ArchiveTrail.Interval * BytesPerCheckpoint)
            + layout.Entries.Sum(entry => (sizeof(char) * (long)entry.Name.Length) + perEntry);
    }

    public void Dispose() => _archives.Dispose();
}
