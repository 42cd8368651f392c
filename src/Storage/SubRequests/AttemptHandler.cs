using System.Collections.Concurrent;
using System.Net;
using Gateway.Storage.Connections;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Gateway.Storage.SubRequests;

/// <summary>
/// Runs inside a cluster's client, around one attempt. For each destination, from the outside in: a limit of concurrent requests, a circuit
/// breaker, free retries if the connection may have been dead, the request lost or not processed, and a timeout for the response
/// headers. Because it is inside, YARP's passive health checks count what it rejects.
/// </summary>
/// <remarks>Requests that do not belong to a bundle are counted by the limit and do not wait. Safe ones without a body are retried like
/// those of bundles.</remarks>
/// <param name="inner">The cluster's connections.</param>
/// <param name="cluster">The cluster's id.</param>
/// <param name="options">Timeouts and numbers of attempts.</param>
/// <param name="concurrency">A fixed limit; null: adaptive.</param>
/// <param name="counts">Decides which failures count against each destination.</param>
/// <param name="guards">Receives what guards each destination.</param>
/// <param name="time">The clock.</param>
internal sealed class AttemptHandler(
    HttpMessageHandler inner, string cluster, UpstreamOptions options, int? concurrency, FailureCounts counts, DestinationGuards guards, TimeProvider time) : DelegatingHandler(inner)
{
    public static readonly HttpRequestOptionsKey<ResponseCapture> Capture = new("Gateway.Capture");

    private static readonly ResiliencePropertyKey<HttpRequestMessage> Request = new("Gateway.Request");

    // Ten failures in twenty requests within ten seconds are not a coincidence; two seconds are short enough for a retry to outlast.
    private const double FailureRatio = 0.5;
    private const int MinimumThroughput = 20;

    // How long a request waits for a slot at overloaded storage, as a multiple of FirstByteTimeout. It is less than YARP's activity
    // timeout, 100 s, which covers the wait.
    private const int MaxWaits = 4;
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(90);

    // Pauses before a rejected request is sent again: the first one, and the maximum as a multiple of it.
    private const int MaxRefusalFactor = 20;
    private static readonly TimeSpan FirstRefusalDelay = TimeSpan.FromMilliseconds(25);

    private const int MaxUnprocessed = 200;
    private const int MaxDirectUnprocessed = 5;
    private static readonly TimeSpan FirstUnprocessedDelay = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan MaxUnprocessedDelay = TimeSpan.FromMilliseconds(50);

    // One per address of the cluster's destinations, so configuration bounds it. Lazy: of several created concurrently, only one is used.
    private readonly ConcurrentDictionary<string, Lazy<Destination>> _destinations = new(StringComparer.OrdinalIgnoreCase);

    private readonly ResiliencePipeline<HttpResponseMessage> _direct =
        AddRepetitions(new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }, MaxDirectUnprocessed, options, time).Build();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var use = new ConnectionUse(request.RequestUri!.GetLeftPart(UriPartial.Authority));
        request.Options.Set(ConnectionUse.Key, use);
        var destination = _destinations.GetOrAdd(use.Destination, static (_, state) => new(() => state.Handler.Build(state.Request.RequestUri!)), (Handler: this, Request: request)).Value;
        if (!request.Options.TryGetValue(Capture, out var capture))
        {
            return await SendDirectAsync(destination, request, cancellationToken);
        }

        capture.Failures = destination.Failures;
        capture.Limit = destination.Limit;
        try
        {
            // Usually nothing has to wait, and no timer is needed.
            capture.Slot = destination.Limit.TryEnter();
            return (capture.Slot is null ? null : await TrySendAsync(destination, request, capture, cancellationToken))
                ?? await SendWhenAllowedAsync(destination, request, capture, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The capture transform passes the failure on. YARP would log a thrown exception with its stack for every attempt; a bundle
            // logs it once, at its end.
            capture.Failure = ConnectionFailures.Explain(exception);
            return new HttpResponseMessage(HttpStatusCode.BadGateway) { RequestMessage = request };
        }
    }

    /// <summary>Requests that do not belong to a bundle are counted and do not wait.</summary>
    private async Task<HttpResponseMessage> SendDirectAsync(Destination destination, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri!.IsFile)
        {
            return await base.SendAsync(request, cancellationToken);
        }

        using var slot = destination.Limit.Enter();
        var response = request.Content is null && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head)
            ? await ExecuteAsync(_direct, request, cancellationToken)
            : await base.SendAsync(request, cancellationToken);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            Refused(destination, slot, request);
        }
        else if (response.StatusCode != HttpStatusCode.TooManyRequests)
        {
            // 429 is about one client (RFC 6585, section 4), which must not slow down the others.
            destination.Limit.Succeeded();
        }

        return response;
    }

    /// <summary>Sends a bundle's request when the destination's limit permits. A request that is rejected because of too many others is
    /// sent again later and costs no attempt.</summary>
    private async Task<HttpResponseMessage> SendWhenAllowedAsync(
        Destination destination, HttpRequestMessage request, ResponseCapture capture, CancellationToken cancellationToken)
    {
        var patience = MaxWaits * options.FirstByteTimeout;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = time.CreateTimer(static stop => ((CancellationTokenSource)stop!).Cancel(), stop, patience < MaxWait ? patience : MaxWait, Timeout.InfiniteTimeSpan);
        try
        {
            for (var refusals = 0; ; refusals++)
            {
                capture.Slot = await (capture.IsUrgent ? destination.Limit.EnterUrgentAsync(stop.Token) : destination.Limit.EnterAsync(stop.Token));
                if (await TrySendAsync(destination, request, capture, cancellationToken) is { } later)
                {
                    return later;
                }

                await Task.Delay(Random.Shared.NextDouble() * FirstRefusalDelay * Math.Min(1 << Math.Min(refusals, 10), MaxRefusalFactor), time, stop.Token);
            }
        }
        catch (OperationCanceledException e) when (e.CancellationToken == stop.Token && !cancellationToken.IsCancellationRequested)
        {
            throw new StorageException(FailureReason.Throttled, "Storage is overloaded and did not accept the request in time.", options.FirstByteTimeout).AsFinal();
        }
    }

    /// <summary>Sends a request that has a slot. It keeps the slot if a body follows.</summary>
    /// <returns>Null if storage rejected it because of other requests, so that it must be sent again.</returns>
    private async Task<HttpResponseMessage?> TrySendAsync(Destination destination, HttpRequestMessage request, ResponseCapture capture, CancellationToken cancellationToken)
    {
        var slot = capture.Slot!;
        HttpResponseMessage response;
        try
        {
            response = await ExecuteAsync(destination.Pipeline, request, cancellationToken);
        }
        catch (Exception exception)
        {
            if (exception is TimeoutRejectedException)
            {
                Refused(destination, slot, request);
            }

            slot.Dispose();
            throw;
        }

        if (!IsOverloaded(response))
        {
            destination.Limit.Succeeded();
            return response;
        }

        var isShared = Refused(destination, slot, request);
        slot.Dispose();
        if (!isShared)
        {
            return response;
        }

        response.Dispose();
        return null;
    }

    /// <summary>An object that is always rejected must not slow down requests for other objects.</summary>
    private static bool Refused(Destination destination, ConcurrencyLimit.Slot slot, HttpRequestMessage request) =>
        !IsListing(request) && destination.Refusals.CountObject(request.RequestUri!.AbsolutePath) ? destination.Limit.Refused(slot) : destination.Limit.RefusedObject(slot);

    private static bool IsOverloaded(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable;

    private async Task<HttpResponseMessage> ExecuteAsync(
        ResiliencePipeline<HttpResponseMessage> pipeline, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        GetUse(request).Begin(time.GetTimestamp());
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(Request, request);
        try
        {
            return await pipeline.ExecuteAsync(
                static (context, handler) => new ValueTask<HttpResponseMessage>(handler.SendInnerAsync(GetRequest(context), context.CancellationToken)), context, this);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private Task<HttpResponseMessage> SendInnerAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(request, cancellationToken);

    private Destination Build(Uri address)
    {
        var failures = counts.Get(address);
        var guard = new DestinationGuard(new ConcurrencyLimit(concurrency, time), new CircuitBreakerStateProvider());
        guards.Add(cluster, address, guard);
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                StateProvider = guard.Breaker,
                FailureRatio = FailureRatio,
                MinimumThroughput = MinimumThroughput,
                SamplingDuration = DestinationFailures.Window,
                BreakDuration = DestinationGuard.BreakDuration,
                OnOpened = _ =>
                {
                    guard.NoteOpened(time);
                    return default;
                },
                ShouldHandle = arguments => ValueTask.FromResult(Counts(failures, GetRequest(arguments.Context), arguments.Outcome)),
            });
        return new(guard, AddRepetitions(builder, MaxUnprocessed, options, time).AddTimeout(new TimeoutStrategyOptions { Timeout = options.FirstByteTimeout }).Build(), failures, new DestinationFailures(time));
    }

    /// <summary>Retries that cost no attempt. A request is sent once more if its connection may have been dead. If there is no other
    /// destination, this also applies after a timeout on any connection, because the request may have been lost. A request that an HTTP/2
    /// server has not processed is sent again until it is: each round, some are processed.</summary>
    private static ResiliencePipelineBuilder<HttpResponseMessage> AddRepetitions(
        ResiliencePipelineBuilder<HttpResponseMessage> builder, int unprocessed, UpstreamOptions options, TimeProvider time) =>
        builder.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            MaxRetryAttempts = unprocessed + 1,
            Delay = FirstUnprocessedDelay,
            MaxDelay = MaxUnprocessedDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = arguments => ValueTask.FromResult(
                arguments.Outcome.Exception is { } exception
                && (ConnectionFailures.IsUnprocessed(exception)
                    ? time.GetElapsedTime(GetUse(arguments.Context).Started) < options.FirstByteTimeout
                    : MaySendOnceMore(exception, GetRequest(arguments.Context), GetUse(arguments.Context)))),
            DelayGenerator = static arguments => ValueTask.FromResult<TimeSpan?>(ConnectionFailures.IsUnprocessed(arguments.Outcome.Exception) ? null : TimeSpan.Zero),
            OnRetry = static arguments =>
            {
                GetUse(arguments.Context).NeedsNewConnection |= !ConnectionFailures.IsUnprocessed(arguments.Outcome.Exception);
                return default;
            },
        });

    private static bool MaySendOnceMore(Exception exception, HttpRequestMessage request, ConnectionUse use) =>
        !use.NeedsNewConnection
        && ConnectionFailures.MayBeDeadConnection(exception)
        && (use.MayBeReused || (exception is TimeoutRejectedException && IsLast(request)));

    /// <summary>Decides once, for the circuit breaker and for YARP's passive health.</summary>
    private static bool Counts(DestinationFailures failures, HttpRequestMessage request, Outcome<HttpResponseMessage> outcome)
    {
        // A listing costs storage more than an object. Slow listings must not close the way to objects.
        var counts = !IsListing(request) && GetReason(outcome, request.Method) is { } reason && failures.Count(reason, request.RequestUri!.AbsolutePath);
        if (request.Options.TryGetValue(Capture, out var capture))
        {
            capture.IsFaultOfDestination = counts;
        }

        return counts;
    }

    /// <returns>Null if nothing failed.</returns>
    private static FailureReason? GetReason(Outcome<HttpResponseMessage> outcome, HttpMethod method) => outcome switch
    {
        { Exception: OperationCanceledException { InnerException: not TimeoutException } } => null,
        { Exception: { } exception } => ConnectionFailures.Explain(exception).Reason,

        // Some storage does not support HEAD; GET decides.
        { Result: not null } when method == HttpMethod.Head => null,
        { Result.StatusCode: HttpStatusCode.BadGateway } => FailureReason.StorageError,
        { Result.StatusCode: HttpStatusCode.GatewayTimeout } => FailureReason.StorageTimeout,
        _ => null,
    };

    private static bool IsListing(HttpRequestMessage request) => request.Options.TryGetValue(ListingExchange.Key, out _);

    private static bool IsLast(HttpRequestMessage request) => request.Options.TryGetValue(Capture, out var capture) && capture.IsLastDestination;

    private static HttpRequestMessage GetRequest(ResilienceContext context) => context.Properties.GetValue(Request, null!);

    private static ConnectionUse GetUse(ResilienceContext context) => GetUse(GetRequest(context));

    private static ConnectionUse GetUse(HttpRequestMessage request) => request.Options.TryGetValue(ConnectionUse.Key, out var use) ? use : throw new InvalidOperationException("The request was not sent by this handler.");

    private sealed record Destination(DestinationGuard Guard, ResiliencePipeline<HttpResponseMessage> Pipeline, DestinationFailures Failures, DestinationFailures Refusals)
    {
        public ConcurrencyLimit Limit => Guard.Limit;
    }
}
