using System.Diagnostics;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Listings;
using Gateway.Storage.Sources;
using Gateway.Storage.SubRequests;
using Gateway.Storage.Telemetry;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;

namespace Gateway.Storage.Objects;

/// <summary>
/// Reads objects through their sources' routes. Every open is retried, on another destination if there is one, with growing
/// pauses and respecting <c>Retry-After</c>, until it succeeds or <see cref="UpstreamOptions.Attempts"/> are used up.
/// </summary>
public sealed partial class ObjectStore(IServiceScopeFactory scopes, UpstreamTraffic traffic, IOptions<UpstreamOptions> options, DecodingLimit decodingLimit, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private const double MaxSpread = 0.25;
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(5);

    private readonly long _maxDecodedBytes = decodingLimit.MaxBytes;
    private readonly ResiliencePipeline _retry = BuildRetry(options.Value, time);

    /// <summary>How objects are read.</summary>
    public UpstreamOptions Options { get; } = options.Value;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>Describes an object without reading its body. If HEAD is rejected, a GET decides: URLs may be signed for GET only, and some
    /// storage does not support HEAD. Objects that may have to be decoded are read anyway, so HEAD is not needed for them.</summary>
    /// <exception cref="StorageException">It does not exist, or storage fails.</exception>
    public Task<ObjectHead> HeadAsync(ObjectRequest request, TransferCounters counters, CancellationToken cancellationToken) =>
        DescribeAsync(request, usesHead: !request.Source.IsHeadWrong && !request.Source.Decodes, counters, cancellationToken);

    /// <summary>Describes an object with a GET whose body is not read.</summary>
    /// <exception cref="StorageException">It does not exist, or storage fails.</exception>
    public Task<ObjectHead> GetHeadAsync(ObjectRequest request, TransferCounters counters, CancellationToken cancellationToken) =>
        DescribeAsync(request, usesHead: false, counters, cancellationToken);

    private async Task<ObjectHead> DescribeAsync(ObjectRequest request, bool usesHead, TransferCounters counters, CancellationToken cancellationToken)
    {
        var state = new RetryState(request.Source, counters);
        var stored = await RepeatAsync(
            state,
            async token => (usesHead ? await RequestHeadAsync(HttpMethods.Head, token) : null) ?? (await RequestHeadAsync(HttpMethods.Get, token))!,
            cancellationToken);
        return await DescribeEntryAsync(request, stored, counters, cancellationToken);

        Task<ObjectHead?> RequestHeadAsync(string method, CancellationToken token) => AttemptAsync(
            request,
            new(method),
            state,
            async attempt =>
            {
                await using (attempt)
                {
                    return method != HttpMethods.Head ? ResponseValidator.RequireWhole(attempt, Time) : ResponseValidator.FromHead(attempt, Time);
                }
            },
            token);
    }

    /// <summary>Opens an object in its current version. If storage reports no length, the given one is assumed.</summary>
    /// <exception cref="StorageException">It does not exist, or storage fails.</exception>
    public Task<IObjectReader> OpenAnyVersionAsync(
        ObjectRequest request, long? size, Func<IObjectReader, Task> prepare, TransferCounters counters, CancellationToken cancellationToken) =>
        OpenEntryAsync(new(request, null, size, prepare), counters, cancellationToken);

    /// <summary>Opens an object at its beginning.</summary>
    /// <param name="request">The object.</param>
    /// <param name="expected">The planned object; null if nothing is known about it.</param>
    /// <param name="prepare">Part of opening, for instance reading it into memory. Nothing has been passed on by then, so if it fails,
    /// opening is retried from the beginning.</param>
    /// <param name="counters">Counts attempts and bytes.</param>
    /// <param name="cancellationToken">Cancels everything, including later reads.</param>
    /// <exception cref="StorageException">It does not exist, is not what was planned, or storage fails.</exception>
    public Task<IObjectReader> OpenAsync(
        ObjectRequest request, ObjectHead? expected, Func<IObjectReader, Task> prepare, TransferCounters counters, CancellationToken cancellationToken) =>
        OpenEntryAsync(new(request, expected, expected?.Size, prepare), counters, cancellationToken);

    private async Task<IObjectReader> OpenStoredAsync(Opening opening, TransferCounters counters, CancellationToken cancellationToken)
    {
        var span = ObjectSpan.Start(opening.Request.Source);
        try
        {
            return await OpenStoredAsync(opening, counters, span, cancellationToken);
        }
        catch (StorageException e)
        {
            ObjectSpan.End(span, e.Reason);
            throw;
        }
        catch
        {
            span?.Dispose();
            throw;
        }
    }

    private Task<IObjectReader> OpenStoredAsync(Opening opening, TransferCounters counters, Activity? span, CancellationToken cancellationToken)
    {
        var (request, expected, size, prepare) = opening;
        var state = new RetryState(request.Source, counters);
        return RepeatAsync(
            state,
            token => OrOldVersionAsync(expected?.Version, version => AttemptAsync<IObjectReader>(
                request,
                new(HttpMethods.Get, Version: version),
                state,
                async attempt =>
                {
                    var head = ResponseValidator.RequireWhole(attempt, Time);

                    // The decoded size is compared later.
                    head.RequirePlanned(expected?.Stored ?? (FindDecodable(request, head) is null ? expected : expected is null ? null : expected with { Size = null }));
                    head = head with { Size = head.Size ?? size };
                    var reader = new ObjectReader(this, request, head, default, counters, new(attempt, await attempt.OpenBodyAsync(), 0, null), cancellationToken);
                    try
                    {
                        reader.Span = span;
                        await prepare(reader);
                        return reader;
                    }
                    catch
                    {
                        // The next attempt continues it.
                        reader.Span = null;
                        await reader.DisposeAsync();
                        throw;
                    }
                },
                token)),
            cancellationToken);
    }

    /// <summary>Requests the current version of an object; if it has been replaced and the store keeps versions, the one that was begun.</summary>
    private static async Task<T> OrOldVersionAsync<T>(string? version, Func<string?, Task<T>> attempt)
    {
        try
        {
            return await attempt(null);
        }
        catch (StorageException e) when (version is not null && e.Reason == FailureReason.ObjectChanged)
        {
            return await attempt(version);
        }
    }

    /// <summary>Opens a part of an object whose version is known.</summary>
    /// <exception cref="StorageException">Another version, or storage fails; <see cref="FailureReason.RangesNotServed"/>: storage does not serve parts.
    /// That matters only if the part ends before the object; otherwise the beginning is read and discarded.</exception>
    public async Task<IObjectReader> OpenPartAsync(
        ObjectRequest request, ObjectHead head, ByteRange part, TransferCounters counters, CancellationToken cancellationToken)
    {
        if (head.Stored is not null)
        {
            // A decoder has to start at the beginning.
            var whole = await OpenAsync(request, head, static _ => Task.CompletedTask, counters, cancellationToken);
            await whole.DropAsync(part.From);
            return whole;
        }

        return await ContinueAsync<IObjectReader>(
            new(request, head, part),
            counters,
            async response =>
            {
                if (response.Skip > 0 && part.End is not null)
                {
                    throw new StorageException(FailureReason.RangesNotServed);
                }

                var reader = new ObjectReader(this, request, head, part, counters, response, cancellationToken);
                await reader.DropAsync(response.Skip);
                return reader;
            },
            cancellationToken);
    }

    /// <summary>Continues an object at a byte, in the version that was begun.</summary>
    /// <param name="part">The version and the bytes; without an ETag only offset 0 is possible.</param>
    /// <param name="counters">Counts attempts.</param>
    /// <param name="take">Receives the response; its failure is the attempt's failure.</param>
    /// <param name="cancellationToken">Cancels everything.</param>
    /// <exception cref="StorageException">Another version, other bytes than requested, or storage fails.</exception>
    internal Task<T> ContinueAsync<T>(ObjectPart part, TransferCounters counters, Func<PartResponse, Task<T>> take, CancellationToken cancellationToken)
    {
        var (request, head, range) = part;
        var state = new RetryState(request.Source, counters);
        var asked = range;
        return RepeatAsync(
            state,
            async token =>
            {
                try
                {
                    return await ContinueOnceAsync(token);
                }
                catch (StorageException e) when (e.Reason == FailureReason.RangesNotServed && range.End is null)
                {
                    // The whole object, whose beginning is discarded.
                    asked = default;
                    return await ContinueOnceAsync(token);
                }
            },
            cancellationToken);

        Task<T> ContinueOnceAsync(CancellationToken token) => OrOldVersionAsync(head.Version, version => AttemptAsync(
            request,
            new(HttpMethods.Get, asked, head.ETag, version),
            state,
            async attempt =>
            {
                if (asked.From > 0 && attempt.StatusCode == StatusCodes.Status206PartialContent)
                {
                    var end = ResponseValidator.RequirePart(attempt.Headers, head, asked);
                    return await take(new(attempt, await attempt.OpenBodyAsync(), 0, end));
                }

                if (asked.From > 0 && ResponseValidator.MayRefuseRange(attempt.StatusCode))
                {
                    throw new StorageException(FailureReason.RangesNotServed, $"Storage returned {attempt.StatusCode} for a range.");
                }

                ResponseValidator.RequireWhole(attempt, Time).RequirePlanned(head);
                return await take(new(attempt, await attempt.OpenBodyAsync(), range.From, null));
            },
            token));
    }

    private async Task<T> RepeatAsync<T>(RetryState state, Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(RetryState.Key, state);
        try
        {
            return await _retry.ExecuteAsync(static async (context, action) => await action(context.CancellationToken), context, action);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<T> AttemptAsync<T>(ObjectRequest request, Attempt what, RetryState state, Func<SubRequest, Task<T>> take, CancellationToken cancellationToken)
    {
        var attempt = new SubRequest(scopes, traffic, request, Capture(request), GetPropagated(), cancellationToken);
        try
        {
            await attempt.SendAsync(what.Method, what.Range, what.ETag, cancellationToken);
            if (await attempt.GetRedirectedAsync() is { } redirected)
            {
                // Only once: the response to this request is final.
                attempt.Traffic?.CountRequest(isFailed: false);
                await attempt.DisposeAsync();
                attempt = new SubRequest(scopes, traffic, redirected, Capture(redirected), GetPropagated(), cancellationToken);
                await attempt.SendAsync(what.Method, what.Range, what.ETag, cancellationToken);
            }

            var taken = await take(attempt);
            attempt.Traffic?.CountRequest(isFailed: false);
            return taken;
        }
        catch (Exception e)
        {
            if (e is not OperationCanceledException)
            {
                attempt.Traffic?.CountRequest(isFailed: (e as StorageException)?.Reason != FailureReason.NotFound);
            }

            (e as StorageException)?.Note(attempt.DestinationId, attempt.ReceivedStatusCode);
            state.Failed(attempt.DestinationId, attempt.Traffic);
            ObjectSpan.NoteFailed(attempt.DestinationId, (e as StorageException)?.Reason);
            await attempt.DisposeAsync();
            throw;
        }

        Activity? GetPropagated() => Options.PropagateTraceContext ? GatewayActivity.Current : null;

        ResponseCapture Capture(ObjectRequest sent) => new([.. state.Destinations]) { ExactKey = sent.IsExact ? sent.Key : null, Version = what.Version ?? sent.Version, Listing = what.Listing };
    }

    private static ResiliencePipeline BuildRetry(UpstreamOptions options, TimeProvider time)
    {
        if (options.Attempts == 1)
        {
            return ResiliencePipeline.Empty;
        }

        return new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = options.Attempts - 1,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = FirstPause,
                MaxDelay = MaxRetryDelay,
                ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is StorageException failure && IsWorthAnotherAttempt(failure, GetState(arguments.Context), options)),
                DelayGenerator = static arguments => ValueTask.FromResult(
                    GetState(arguments.Context).AnyLeft ? TimeSpan.Zero : Spread((arguments.Outcome.Exception as StorageException)?.RetryAfter)),
                OnRetry = static arguments =>
                {
                    GetState(arguments.Context).CountRetry();
                    return default;
                },
            })
            .Build();
    }

    private static bool IsWorthAnotherAttempt(StorageException failure, RetryState state, UpstreamOptions options) => failure.Retry switch
    {
        RetryScope.AnyDestination when !state.AnyLeft =>
            // If storage requires a longer pause than the timeout for a response, give up.
            !(failure.RetryAfter > options.FirstByteTimeout),
        RetryScope.AnyDestination => true,
        RetryScope.OtherDestination => state.AnyLeft,
        _ => false,
    };

    /// <summary>At least as long as storage requires, with jitter.</summary>
    private static TimeSpan? Spread(TimeSpan? retryAfter) => retryAfter * (1 + (MaxSpread * Random.Shared.NextDouble()));

    private static RetryState GetState(ResilienceContext context) => context.Properties.GetValue(RetryState.Key, null!);

    /// <summary>How an object is opened.</summary>
    /// <param name="Request">The object.</param>
    /// <param name="Expected">The planned object; null if nothing is known about it.</param>
    /// <param name="Size">Assumed if storage reports no length.</param>
    /// <param name="Prepare">Part of opening.</param>
    private sealed record Opening(ObjectRequest Request, ObjectHead? Expected, long? Size, Func<IObjectReader, Task> Prepare);

    /// <summary>What one attempt requests.</summary>
    /// <param name="Method">GET or HEAD.</param>
    /// <param name="Range">The bytes.</param>
    /// <param name="ETag">The version that a range must belong to.</param>
    /// <param name="Version">The version that a store is asked for; null: the current one.</param>
    /// <param name="Listing">The page of a listing; null: the object.</param>
    private readonly record struct Attempt(string Method, ByteRange Range = default, string? ETag = null, string? Version = null, ListingExchange? Listing = null);
}

/// <summary>Bytes of one version of an object.</summary>
internal readonly record struct ObjectPart(ObjectRequest Request, ObjectHead Head, ByteRange Range);
