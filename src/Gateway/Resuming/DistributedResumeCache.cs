using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Gateway.Archiving;
using Gateway.Caching;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace Gateway.Resuming;

/// <summary>
/// What replicas share about the archives that they write, in Redis. It only makes resuming on another replica faster; without it
/// an archive is generated again from its beginning.
/// </summary>
/// <remarks>
/// <para>Keys begin with the archive's ETag, a hash over everything that determines its bytes: someone who could guess it already has the archive.
/// Entries are signed and limited in size (<see cref="GatewayCache"/>). A checkpoint is verified with the block before it
/// (<see cref="Archiving.Layout.CheckpointException"/>), a length and a hash when the archive is written, before its last byte is sent.</para>
/// <para>Each archive is published by one task at a time; what is reached meanwhile is published next. While Redis is unavailable it is tried once
/// every few seconds, and no request waits for it in between.</para>
/// </remarks>
internal sealed partial class DistributedResumeCache(
    GatewayCache cache, IOptions<ResumeOptions> options, TimeProvider time, ILogger<DistributedResumeCache> logger)
{
    private const int SegmentsAtOnce = 16;
    private const int MaxSegmentBytes = 8 << 20;
    private const int EndBytes = sizeof(long);
    private const int EndBytesWithHash = EndBytes + SHA256.HashSizeInBytes;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly ResiliencePipeline _resilience = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions { FailureRatio = 0.5, MinimumThroughput = 2, SamplingDuration = Pause, BreakDuration = Pause })
        .AddTimeout(Patience)
        .Build();

    private bool _isAway;

    /// <summary>Publishes what is new.</summary>
    public void Tell(ResumeState archive)
    {
        if (archive.TryBeginTelling())
        {
            _ = Task.Run(() => TellAsync(archive));
        }
    }

    /// <summary>Adds the archive's end, if another replica knows it.</summary>
    public async Task LearnEndAsync(ResumeState archive, CancellationToken cancellationToken)
    {
        if (await GetAsync(EndKey(archive), EndBytesWithHash, cancellationToken) is { Length: EndBytes or EndBytesWithHash } end
            && BinaryPrimitives.ReadInt64LittleEndian(end) is > 0 and var length
            && length <= archive.Layout!.MaxLength)
        {
            archive.Learn(end.Length == EndBytes ? new ArchiveEnd(length, null) : new ArchiveEnd(length, end[EndBytes..], IsHashLearned: true));
        }
    }

    /// <summary>Adds what other replicas know about the way to a byte of the archive.</summary>
    public async Task LearnAsync(ResumeState archive, long from, CancellationToken cancellationToken)
    {
        if (!archive.Layout!.Recipe.NeedsCheckpoints || KnowsTheWay(archive, from))
        {
            return;
        }

        // Only the segments themselves show which one contains the place: their first places are in order.
        var (low, high, nearest) = (0L, CheckpointSegment.NumberOf(archive.Layout.PlainLength), -1L);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (await ReadAsync(archive, middle, cancellationToken) <= from)
            {
                (low, nearest) = (middle + 1, middle);
            }
            else
            {
                high = middle - 1;
            }
        }

        if (NeedsWhatBecameOfEntries(archive))
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = SegmentsAtOnce, CancellationToken = cancellationToken };
            await Parallel.ForAsync(0, Math.Max(nearest, 0), parallel, async (number, token) => await ReadAsync(archive, number, token));
        }
    }

    /// <summary>Whether other replicas cannot know more than this one.</summary>
    private static bool KnowsTheWay(ResumeState archive, long from)
    {
        var facts = archive.Facts;
        if (!facts.Trail.Covers(from) || !NeedsWhatBecameOfEntries(archive))
        {
            return facts.Trail.Covers(from);
        }

        var place = facts.Trail.Nearest(from).PlainOffset;
        var before = place == 0 ? 0 : archive.Layout!.PieceAt(place - 1).Entry;
        return Enumerable.Range(0, before).All(
            entry => (archive.Layout!.Recipe.Format != ArchiveFormat.Zip || facts.Trail.ResultOf(entry) is not null) && (!archive.NeedsHashes || facts.HashOf(entry) is not null));
    }

    private static bool NeedsWhatBecameOfEntries(ResumeState archive) =>
        archive.Layout!.Recipe.Format == ArchiveFormat.Zip || archive.NeedsHashes;

    private static string EndKey(ResumeState archive) => $"archive/2/{archive.ETag}/end";

    private static string SegmentKey(ResumeState archive, long number) => $"archive/2/{archive.ETag}/{number}";

    private async Task<long?> ReadAsync(ResumeState archive, long number, CancellationToken cancellationToken) =>
        await GetAsync(SegmentKey(archive, number), MaxSegmentBytes, cancellationToken) is { } bytes ? CheckpointSegment.Read(bytes, archive) : null;

    [SuppressMessage("Design", "CA1031", Justification = "Nothing awaits it; what is not published is generated again.")]
    private async Task TellAsync(ResumeState archive)
    {
        try
        {
            await TellAllAsync(archive);
        }
        catch (Exception exception)
        {
            archive.StopTelling();
            LogUntold(logger, exception);
        }
    }

    private async Task TellAllAsync(ResumeState archive)
    {
        while (archive.TakeUntold() is var (segments, end) && (segments.Length > 0 || end is not null))
        {
            foreach (var number in segments)
            {
                await SetAsync(SegmentKey(archive, number), CheckpointSegment.Write(archive, number));
            }

            if (end is not null)
            {
                var bytes = new byte[end.Sha256 is null ? EndBytes : EndBytesWithHash];
                BinaryPrimitives.WriteInt64LittleEndian(bytes, end.Length);
                end.Sha256?.CopyTo(bytes, EndBytes);
                await SetAsync(EndKey(archive), bytes);
            }
        }
    }

    private Task<byte[]?> GetAsync(string key, int maxLength, CancellationToken cancellationToken) =>
        TryAsync(() => cache.GetAsync(key, maxLength), cancellationToken);

    private async Task SetAsync(string key, byte[] value) => await TryAsync(
        async () =>
        {
            await cache.SetAsync(key, value, time.GetUtcNow() + options.Value.KeepFor);
            return null;
        },
        CancellationToken.None);

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a cache throws, the archive can be generated without it.")]
    private async Task<byte[]?> TryAsync(Func<Task<byte[]?>> action, CancellationToken cancellationToken)
    {
        try
        {
            var result = await _resilience.ExecuteAsync(async token => await action().WaitAsync(token), cancellationToken);
            if (Interlocked.Exchange(ref _isAway, false))
            {
                LogBack(logger);
            }

            return result;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (!Interlocked.Exchange(ref _isAway, true))
            {
                LogAway(logger, exception.Message);
            }

            return null;
        }
    }

    [LoggerMessage(EventId = 5, EventName = "Untold", Level = LogLevel.Error, Message = "Failed to publish resume points to Redis")]
    private static partial void LogUntold(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2, EventName = "CacheAway", Level = LogLevel.Warning, Message = "Redis is unavailable; archives that other replicas began are generated again from their beginning: {Reason}")]
    private static partial void LogAway(ILogger logger, string reason);

    [LoggerMessage(EventId = 3, EventName = "CacheBack", Level = LogLevel.Information, Message = "Redis is available again")]
    private static partial void LogBack(ILogger logger);
}
