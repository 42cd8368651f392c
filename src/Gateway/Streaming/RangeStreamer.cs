using Gateway.Archiving.Resuming;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Runs;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Telemetry;

namespace Gateway.Streaming;

/// <summary>Streams a part of an archive, from the last checkpoint before it that is known. Until its first byte leaves, a failure can
/// still become a problem document.</summary>
internal sealed partial class RangeStreamer(ArchiveMaker maker, ResumeStateCache states, BundleMetrics metrics, TimeProvider time, ILogger<RangeStreamer> logger)
{
    // Clients and proxies wait a minute for response headers.
    private static readonly TimeSpan MeasuringPatience = TimeSpan.FromSeconds(45);

    /// <summary>Streams a range whose headers have been set but not sent.</summary>
    /// <exception cref="BundleProblemException">It cannot be made; nothing has left.</exception>
    public async Task StreamAsync(BundleRun run, ByteRange part)
    {
        try
        {
            // An end that is only remembered is not relied on: the archive is made until it ends, and the last byte waits for that.
            var made = run.Plan!.Layout!.Length is null && part.ReachesEnd ? new ByteRange(part.From) : part;
            var position = await MakeAsync(run, made, part.From, run.Stopped);
            if (part.End is null && position <= part.From)
            {
                // Only now it is known.
                throw RequestedRange.NotSatisfiable(position);
            }

            await run.Body.EndAsync();
            if (position < part.End)
            {
                throw new InvalidOperationException("The archive ended before the range did: its length was not what was computed.");
            }
        }
        catch (Exception)
        {
            if (run.Body.IsUnexpected)
            {
                states.Forget(run.State!);
            }

            if (!run.Http.Response.HasStarted)
            {
                // Nothing of the range has left, so an error can be sent instead, if nothing waits to leave.
                run.Http.Response.Clear();
            }

            throw;
        }
    }

    /// <summary>Makes the rest of an archive, from the last checkpoint that is known, only to learn how long it is.</summary>
    /// <returns>Null when that takes too long.</returns>
    /// <exception cref="BundleProblemException">It cannot be made.</exception>
    public async Task<long?> MeasureAsync(BundleRun run)
    {
        using var patience = new CancellationTokenSource(MeasuringPatience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(run.Stopped, patience.Token);
        try
        {
            return await MakeAsync(run, new ByteRange(run.Plan!.Layout!.MaxLength - 1), long.MaxValue, stop.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !run.Stopped.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            run.Record.EntriesSent = 0;
        }
    }

    /// <param name="run">The archive.</param>
    /// <param name="part">What is made.</param>
    /// <param name="sendFrom">The first byte that is sent.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Where in the archive the making ended.</returns>
    private async Task<long> MakeAsync(BundleRun run, ByteRange part, long sendFrom, CancellationToken cancellationToken)
    {
        await states.LearnAsync(run.State!, part.From, cancellationToken);
        try
        {
            var start = GetStart(run, part);
            try
            {
                return await MakeFromAsync(run, start, part, sendFrom, cancellationToken);
            }
            catch (CheckpointException)
            {
                // The checkpoint belongs to something else. Nothing has left, so the archive is made from its beginning instead.
                LogRefused(logger, run.Plan!.ETag!);
                run.State = states.Forget(run.State!);
                start = default;
                return await MakeFromAsync(run, start, part, sendFrom, cancellationToken);
            }
            finally
            {
                if (sendFrom is > 0 and < long.MaxValue)
                {
                    metrics.LookedUp(isHit: start.Place.Offset > 0);
                }
            }
        }
        catch (StorageException failure) when (run.Body is { Bytes: 0, IsUnexpected: false })
        {
            var entry = run.Plan!.All[run.Record.EntryIndex!.Value];
            throw BundleProblemException.FromStorage((new EntryError(entry.RequestIndex, entry.Id, failure.Message), failure));
        }
    }

    private static ResumePoint GetStart(BundleRun run, ByteRange part)
    {
        // The receipt describes all objects, so the hash of each must be known.
        var (plan, state) = (run.Plan!, run.State!);
        Predicate<int>? isRead = plan.Request.HasReceipt ? entry => entry == plan.Entries.Count || state.GetHash(entry) is not null : null;
        return plan.Layout!.FindResumePoint(state.Checkpoints, part.From, part.End, isRead);
    }

    private async Task<long> MakeFromAsync(BundleRun run, ResumePoint start, ByteRange part, long sendFrom, CancellationToken cancellationToken)
    {
        var writer = new RangeWriter(run.Body, start.Place.Offset, sendFrom, part.End);
        try
        {
            await maker.MakeAsync(run, start, writer, cancellationToken);
        }
        finally
        {
            writer.Complete();
        }

        if (part.End is null)
        {
            states.SetEnd(run.State!, writer.Position, hash: null);
        }

        return writer.Position;
    }

    [LoggerMessage(EventId = LogEvents.CheckpointRefused, EventName = nameof(LogEvents.CheckpointRefused), Level = LogLevel.Warning, Message = "A checkpoint of the archive {ETag} does not match it. The archive is made from its beginning")]
    private static partial void LogRefused(ILogger logger, string etag);
}
