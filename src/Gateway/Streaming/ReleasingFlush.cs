using System.IO.Pipelines;
using Gateway.Archiving;
using Gateway.Storage.Objects;

namespace Gateway.Streaming;

/// <summary>
/// Flushes an archive to its client. While the client takes nothing, the bundle's connections to storage are closed: what they hold is memory of
/// the kernel, here and at storage, that other clients need.
/// </summary>
/// <remarks>
/// One caller. It reads nothing while it flushes, so a release and a read never meet at a reader. Each release doubles the time to the next, so
/// a client that takes a block now and then costs storage a few requests and not one for each block.
/// </remarks>
/// <param name="archive">What is flushed.</param>
/// <param name="prefetcher">Holds the readers of objects whose turn will come.</param>
/// <param name="releaseAfter">How long a flush waits before the first release; zero: for ever.</param>
/// <param name="time">Measures it.</param>
internal sealed class ReleasingFlush(ArchiveWriter archive, Prefetcher prefetcher, TimeSpan releaseAfter, TimeProvider time)
{
    private TimeSpan _patience = releaseAfter;

    /// <summary>Hands on what is complete, and waits while the client does not take it.</summary>
    /// <param name="current">The reader whose turn it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
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
