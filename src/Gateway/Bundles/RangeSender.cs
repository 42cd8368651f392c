using Gateway.Archiving.Layout;
using Gateway.Failures;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>Makes a part of an archive, from the last place before it that anybody remembers. Until its first byte leaves, a failure can
/// still be answered.</summary>
internal sealed partial class RangeSender(BundleStreamer streamer, ResumeStateCache archives, TimeProvider time, ILogger<RangeSender> logger)
{
    // Clients and proxies wait a minute for a head.
    private static readonly TimeSpan MeasuringPatience = TimeSpan.FromSeconds(45);

    /// <summary>Sends a range, whose head has been written but not sent.</summary>
    /// <exception cref="BundleProblemException">It cannot be had; nothing has left.</exception>
    public async Task SendAsync(
        HttpContext context, BundlePlan plan, ResumeState known, ByteRange part, AheadMemory ahead, ClientWriter client, BundleRecord record, CancellationToken cancellationToken)
    {
        try
        {
            // An end that is only remembered is not relied on: the archive is made until it ends, and the last byte waits for that.
            var made = plan.Layout!.Length is null && part.ReachesEnd ? new ByteRange(part.From) : part;
            var position = await MakeAsync(plan, known, made, part.From, ahead, client, record, cancellationToken);
            if (part.End is null && position <= part.From)
            {
                // Only now it shows.
                throw RequestedRange.NotSatisfiable(position);
            }

            await client.EndAsync();
            if (position < part.End)
            {
                throw new InvalidOperationException("The archive ended before the range did: its length was not what was computed.");
            }
        }
        catch (Exception)
        {
            if (client.IsUnexpected)
            {
                known.Forget();
            }

            if (!context.Response.HasStarted)
            {
                // Nothing of the range has left, so something else can be said instead, if nothing waits to leave.
                context.Response.Clear();
            }

            throw;
        }
    }

    /// <summary>Makes the rest of an archive, from the last place that is known, only to see how long it is.</summary>
    /// <returns>Null when that takes too long.</returns>
    /// <exception cref="BundleProblemException">It cannot be made.</exception>
    public async Task<long?> MeasureAsync(
        BundlePlan plan, ResumeState known, AheadMemory ahead, ClientWriter client, BundleRecord record, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(MeasuringPatience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await MakeAsync(plan, known, new ByteRange(plan.Layout!.MaxLength - 1), long.MaxValue, ahead, client, record, stop.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            record.EntriesSent = 0;
        }
    }

    /// <returns>Where in the archive the making ended.</returns>
    private async Task<long> MakeAsync(
        BundlePlan plan, ResumeState known, ByteRange part, long sendFrom, AheadMemory ahead, ClientWriter client, BundleRecord record, CancellationToken cancellationToken)
    {
        await archives.LearnAsync(known, part.From, cancellationToken);
        try
        {
            try
            {
                return await MakeAsync(known.Facts, fromBeginning: false);
            }
            catch (CheckpointException)
            {
                // What is remembered is of something else. Nothing has left, so the archive is made from its beginning instead.
                LogForgotten(logger, plan.ETag!);
                known.Forget();
                return await MakeAsync(known.Facts, fromBeginning: true);
            }
        }
        catch (StorageException failure) when (client is { Bytes: 0, IsUnexpected: false })
        {
            throw BundlePlanner.Failed((plan.All[record.EntryIndex!.Value], failure));
        }

        async Task<long> MakeAsync(ArchiveFacts facts, bool fromBeginning)
        {
            // The receipt is about all objects, so each must have been read by somebody.
            Predicate<int>? isRead = plan.HasReceipt ? entry => entry == plan.Entries.Count || facts.HashOf(entry) is not null : null;
            var start = fromBeginning ? default : plan.Layout!.StartAt(facts.Trail, part.From, part.End, isRead);
            var writer = new RangeWriter(client, start.Place.Offset, sendFrom, part.End);
            try
            {
                await streamer.StreamAsync(plan, start, facts, ahead, writer, record, cancellationToken);
            }
            finally
            {
                writer.Complete();
            }

            if (part.End is null)
            {
                known.Ended(writer.Position, hash: null);
            }

            return writer.Position;
        }
    }

    [LoggerMessage(EventId = 4, EventName = "CheckpointRefused", Level = LogLevel.Warning, Message = "What was remembered of the archive {ETag} is not of it; it is made from its beginning")]
    private static partial void LogForgotten(ILogger logger, string etag);
}
