using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Gateway.Archiving;
using Gateway.Caching;
using Gateway.Telemetry;
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
/// (<see cref="Archiving.Resuming.CheckpointException"/>), a length and a hash when the archive is written, before its last byte is sent.</para>
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

    private bool _isUnavailable;

    /// <summary>Publishes what is new, in the background.</summary>
    public void Publish(ResumeState state)
    {
        if (state.TryBeginPublishing())
        {
            _ = Task.Run(() => PublishAsync(state));
        }
    }

    /// <summary>Adds the archive's end, if another replica knows it.</summary>
    public async Task LearnEndAsync(ResumeState state, CancellationToken cancellationToken)
    {
        if (await GetAsync(EndKey(state), EndBytesWithHash, cancellationToken) is { Length: EndBytes or EndBytesWithHash } end
            && BinaryPrimitives.ReadInt64LittleEndian(end) is > 0 and var length
            && length <= state.Layout!.MaxLength)
        {
            state.LearnEnd(end.Length == EndBytes ? new ArchiveEnd(length, null) : new ArchiveEnd(length, end[EndBytes..], IsHashFromReplica: true));
        }
    }

    /// <summary>Adds what other replicas know about the way to a byte of the archive.</summary>
    public async Task LearnAsync(ResumeState state, long from, CancellationToken cancellationToken)
    {
        if (!state.Layout!.Recipe.NeedsCheckpoints || KnowsTheWay(state, from))
        {
            return;
        }

        // Only the segments themselves show which one contains the place: their first places are in order.
        var (low, high, nearest) = (0L, CheckpointSegment.GetNumber(state.Layout.PlainLength), -1L);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (await ReadAsync(state, middle, cancellationToken) <= from)
            {
                (low, nearest) = (middle + 1, middle);
            }
            else
            {
                high = middle - 1;
            }
        }

        if (NeedsWhatBecameOfEntries(state))
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = SegmentsAtOnce, CancellationToken = cancellationToken };
            await Parallel.ForAsync(0, Math.Max(nearest, 0), parallel, async (number, token) => await ReadAsync(state, number, token));
        }
    }

    /// <summary>Whether other replicas cannot know more than this one.</summary>
    private static bool KnowsTheWay(ResumeState state, long from)
    {
        if (!state.Checkpoints.Covers(from) || !NeedsWhatBecameOfEntries(state))
        {
            return state.Checkpoints.Covers(from);
        }

        var place = state.Checkpoints.Nearest(from).PlainOffset;
        var before = place == 0 ? 0 : state.Layout!.PieceAt(place - 1).Entry;
        return Enumerable.Range(0, before).All(
            entry => (state.Layout!.Recipe.Format != ArchiveFormat.Zip || state.Checkpoints.FindResult(entry) is not null) && (!state.Archive.NeedsHashes || state.GetHash(entry) is not null));
    }

    private static bool NeedsWhatBecameOfEntries(ResumeState state) =>
        state.Layout!.Recipe.Format == ArchiveFormat.Zip || state.Archive.NeedsHashes;

    private static string EndKey(ResumeState state) => $"archive/2/{state.ETag}/end";

    private static string SegmentKey(ResumeState state, long number) => $"archive/2/{state.ETag}/{number}";

    private async Task<long?> ReadAsync(ResumeState state, long number, CancellationToken cancellationToken) =>
        await GetAsync(SegmentKey(state, number), MaxSegmentBytes, cancellationToken) is { } bytes ? CheckpointSegment.Read(bytes, state) : null;

    [SuppressMessage("Design", "CA1031", Justification = "No request waits for it; what is not published is made again.")]
    private async Task PublishAsync(ResumeState state)
    {
        try
        {
            await PublishAllAsync(state);
        }
        catch (Exception exception)
        {
            state.StopPublishing();
            LogPublishFailed(logger, exception);
        }
    }

    private async Task PublishAllAsync(ResumeState state)
    {
        while (state.TakeUnpublished() is var (segments, end) && (segments.Length > 0 || end is not null))
        {
            foreach (var number in segments.TakeWhile(_ => !state.IsForgotten))
            {
                await SetAsync(SegmentKey(state, number), CheckpointSegment.Write(state, number));
            }

            if (end is not null && !state.IsForgotten)
            {
                var bytes = new byte[end.Sha256 is null ? EndBytes : EndBytesWithHash];
                BinaryPrimitives.WriteInt64LittleEndian(bytes, end.Length);
                end.Sha256?.CopyTo(bytes, EndBytes);
                await SetAsync(EndKey(state), bytes);
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
            if (Interlocked.Exchange(ref _isUnavailable, false))
            {
                LogAvailable(logger);
            }

            return result;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (!Interlocked.Exchange(ref _isUnavailable, true))
            {
                LogUnavailable(logger, exception.Message);
            }

            return null;
        }
    }

    [LoggerMessage(EventId = LogEvents.PublishFailed, EventName = nameof(LogEvents.PublishFailed), Level = LogLevel.Error, Message = "Failed to publish resume points to Redis")]
    private static partial void LogPublishFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = LogEvents.RedisUnavailable, EventName = nameof(LogEvents.RedisUnavailable), Level = LogLevel.Warning, Message = "Redis is unavailable; archives that other replicas began are generated again from their beginning: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string reason);

    [LoggerMessage(EventId = LogEvents.RedisAvailable, EventName = nameof(LogEvents.RedisAvailable), Level = LogLevel.Information, Message = "Redis is available again")]
    private static partial void LogAvailable(ILogger logger);
}
