using System.IO.Pipelines;
using Gateway.Archiving;
using Gateway.Storage.Objects;

namespace Gateway.Streaming;

/// <summary>
/// Flushes an archive to its client. While the client accepts nothing, the bundle's connections to storage are closed, because they use kernel
/// memory, here and at storage, that other clients need.
/// </summary>
/// <remarks>
/// Not thread-safe. It reads nothing while it flushes, so a release never coincides with a read. Each release doubles the time to the next, so
/// a client that takes a block now and then costs storage a few requests instead of one for each block.
/// </remarks>
/// <param name="archive">The archive to flush.</param>
/// <param name="prefetcher">Holds the readers of later objects.</param>
/// <param name="releaseAfter">How long a flush waits before the first release; zero: never release.</param>
/// <param name="time">The clock.</param>
internal sealed class ReleasingFlush(ArchiveWriter archive, Prefetcher prefetcher, TimeSpan releaseAfter, TimeProvider time)
{
    private TimeSpan _patience = releaseAfter;

    /// <summary>Flushes complete blocks, and waits until the client accepts them.</summary>
    /// <param name="current">The reader of the current object.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public ValueTask<FlushResult> FlushAsync(IObjectReader current, CancellationToken cancellationToken)
    {
        var flush = archive.FlushAsync(cancellationToken);
        return flush.IsCompletedSuccessfully || _patience == TimeSpan.Zero ? flush : new(WaitAsync(flush.AsTask(), current));
    }

    private async Task<FlushResult> WaitAsync(Task<FlushResult> flush, IObjectReader current)
    {
        while (true)
        {
            await ((Task)flush).WaitAsync(_patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (flush.IsCompleted)
            {
                return await flush;
            }

            await current.ReleaseAsync();
            await prefetcher.ReleaseAsync();
            _patience *= 2;
        }
    }
}
