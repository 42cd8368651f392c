using Gateway.Archiving.Layout;
using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Resuming;

/// <summary>What was learned of archives while they were made, by ETag. An ETag names every byte, so what was once seen stays right;
/// what was forgotten only makes a resume slower.</summary>
/// <remarks>Bound: some 16 MiB for all, the least recently used go first.</remarks>
/// <param name="shared">What other replicas learned; null where there is no Redis.</param>
internal sealed class KnownArchives(SharedArchives? shared = null) : IDisposable
{
    private const long MaxBytes = 16 << 20;

    // A checkpoint every 4 MiB, what is known of an entry, and what a thing in the cache costs.
    private const int BytesPerCheckpoint = 32;
    private const long PlainPerCheckpoint = 4 << 20;
    private const int BytesPerEntry = 60;
    private const int BytesPerHash = 120;
    private const int BytesPerArchive = 1000;

    private readonly MemoryCache _archives = new(new MemoryCacheOptions { SizeLimit = MaxBytes });

    /// <summary>What is known of an archive: here, and of its end also what other replicas know.</summary>
    /// <param name="etag">Names it; without one nothing is kept of it.</param>
    /// <param name="layout">Where everything stands in it.</param>
    /// <param name="needsHashes">Whether the hashes of its entries are part of it.</param>
    /// <param name="cancellationToken">Ends the wait for other replicas' knowledge.</param>
    public async Task<KnownArchive> FindAsync(string? etag, ArchiveLayout? layout, bool needsHashes, CancellationToken cancellationToken)
    {
        if (etag is null || layout is null)
        {
            return new KnownArchive(null, layout, null);
        }

        var archive = _archives.GetOrCreate(etag, entry =>
        {
            entry.Size = BytesPerArchive + (layout.PlainLength / PlainPerCheckpoint * BytesPerCheckpoint) + (layout.Entries.Count * (long)(needsHashes ? BytesPerEntry + BytesPerHash : BytesPerEntry));
            return new KnownArchive(etag, layout, shared is null ? null : shared.Tell) { NeedsHashes = needsHashes };
        })!;
        if (shared is not null && archive.End is null)
        {
            await shared.LearnEndAsync(archive, cancellationToken);
        }

        return archive;
    }

    /// <summary>Adds what other replicas know of the way to a byte of the archive.</summary>
    public Task LearnAsync(KnownArchive archive, long from, CancellationToken cancellationToken) =>
        shared?.LearnAsync(archive, from, cancellationToken) ?? Task.CompletedTask;

    public void Dispose() => _archives.Dispose();
}
