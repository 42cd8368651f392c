using System.Collections.Concurrent;
using System.Net;
using Gateway.Failures;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Gateway.Upstreams;

/// <summary>
/// Inside a cluster's client, around one attempt: a time-out until the head of the answer is there, and a circuit breaker for
/// each destination. Being inside, YARP's passive health counts what it refuses. Requests that are not a bundle's pass by.
/// </summary>
internal sealed class AttemptHandler(HttpMessageHandler inner, UpstreamOptions options, TimeProvider time) : DelegatingHandler(inner)
{
    public static readonly HttpRequestOptionsKey<Capture> Capture = new("Gateway.Capture");

    // Ten failures of twenty within ten seconds are no accident; two seconds are short enough for a retry to outlast.
    private const double FailureRatio = 0.5;
    private const int MinimumThroughput = 20;
    private static readonly TimeSpan SamplingDuration = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(2);

    // One for each address of the cluster's destinations, so configuration bounds it.
    private readonly ConcurrentDictionary<string, ResiliencePipeline<HttpResponseMessage>> _pipelines = new(StringComparer.OrdinalIgnoreCase);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(Capture, out var capture))
        {
            return await base.SendAsync(request, cancellationToken);
        }

        try
        {
            var pipeline = _pipelines.GetOrAdd(request.RequestUri!.GetLeftPart(UriPartial.Authority), static (_, handler) => handler.Build(), this);
            return await pipeline.ExecuteAsync(
                static async (state, token) => await state.Handler.SendInnerAsync(state.Request, token),
                (Handler: this, Request: request),
                cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The capture transform goes on with it. What is thrown on YARP would log, each try of each object with its stack; a bundle tells it
            // once, at its end.
            capture.Failure = Explain(exception);
            return new HttpResponseMessage(HttpStatusCode.BadGateway) { RequestMessage = request };
        }
    }

    private static StorageException Explain(Exception exception) => exception switch
    {
        StorageException known => known,
        TimeoutRejectedException => new(FailureReason.ResponseTimeout, inner: exception),
        BrokenCircuitException broken => new(FailureReason.CircuitOpen, retryAfter: broken.RetryAfter, inner: exception),
        OperationCanceledException { InnerException: TimeoutException } => new(FailureReason.ConnectTimeout, inner: exception),
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError
        } => new(FailureReason.ConnectionRefused, inner: exception),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.InvalidResponse } => new(FailureReason.InvalidResponse, inner: exception),
        _ => new(FailureReason.ConnectionBroken, inner: exception),
    };

    private Task<HttpResponseMessage> SendInnerAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(request, cancellationToken);

    private ResiliencePipeline<HttpResponseMessage> Build() =>
        new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                FailureRatio = FailureRatio,
                MinimumThroughput = MinimumThroughput,
                SamplingDuration = SamplingDuration,
                BreakDuration = BreakDuration,
                ShouldHandle = static outcome => ValueTask.FromResult(outcome.Outcome switch
                {
                    // A head that cannot be read came over a live connection: the object's fault, and no other's.
                    { Exception: HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } } => false,
                    { Exception: HttpRequestException or TimeoutRejectedException } => true,
                    { Exception: OperationCanceledException { InnerException: TimeoutException } } => true,
                    { Result.StatusCode: HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout } => true,
                    _ => false,
                }),
            })
            .AddTimeout(new TimeoutStrategyOptions { Timeout = options.FirstByteTimeout })
            .Build();
}
