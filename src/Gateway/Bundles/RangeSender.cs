using Gateway.Archiving.Layout;
using Gateway.Resuming;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>Makes a part of an archive, from the last place before it that anybody remembers. Until its first byte leaves, a failure can
/// still be answered.</summary>
internal sealed partial class RangeSender(BundleStreamer streamer, KnownArchives archives, ILogger<RangeSender> logger)
{
    /// <summary>Sends a range, whose head has been written but not sent.</summary>
    /// <exception cref="BundleRefusal">It cannot be had; nothing has left.</exception>
    public async Task SendAsync(
        HttpContext context, BundlePlan plan, KnownArchive known, ByteRange part, AheadMemory ahead, ClientWriter client, BundleRecord record, CancellationToken cancellationToken)
    {
        try
        {
            var position = await MakeAsync(plan, known, part, part.From, ahead, client, record, cancellationToken);
            if (part.End is null && position <= part.From)
            {
                // Only now it shows.
                throw BundleConditions.NotSatisfiable(position);
            }
        }
        catch (Exception) when (!context.Response.HasStarted)
        {
            // Nothing of the range has left, so something else can be said instead.
            context.Response.Clear();
            throw;
        }
    }

    /// <summary>Makes the rest of an archive only to see how long it is.</summary>
    /// <exception cref="BundleRefusal">It cannot be made.</exception>
    public Task<long> MeasureAsync(
        BundlePlan plan, KnownArchive known, long from, AheadMemory ahead, ClientWriter client, BundleRecord record, CancellationToken cancellationToken) =>
        MakeAsync(plan, known, new ByteRange(from), long.MaxValue, ahead, client, record, cancellationToken);

    /// <returns>Where in the archive the making ended.</returns>
    private async Task<long> MakeAsync(
        BundlePlan plan, KnownArchive known, ByteRange part, long sendFrom, AheadMemory ahead, ClientWriter client, BundleRecord record, CancellationToken cancellationToken)
    {
        await archives.LearnAsync(known, part.From, cancellationToken);
        try
        {
            return await StreamAsync();
        }
        catch (CheckpointException)
        {
            // What is remembered is of something else. Nothing has left, so the archive is made from its beginning instead.
            LogForgotten(logger, plan.ETag!);
            known.Forget();
            return await StreamAsync();
        }
        catch (UpstreamException failure) when (client.Bytes == 0)
        {
            throw BundlePlanner.Failed(plan.All[record.EntryIndex!.Value], failure);
        }

        async Task<long> StreamAsync()
        {
            // The receipt is about all objects, so each must have been read by somebody.
            Predicate<int>? isRead = plan.HasReceipt ? entry => entry == plan.Entries.Count || known.Hashes.ContainsKey(entry) : null;
            var start = plan.Layout!.StartAt(known.Trail, part.From, part.End, isRead);
            var writer = new RangeWriter(client, start.Place.Offset, sendFrom, part.End);
            try
            {
                await streamer.StreamAsync(plan, start, known, ahead, writer, record, cancellationToken);
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
