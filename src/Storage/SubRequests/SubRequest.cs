using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Sources;
using Gateway.Storage.Telemetry;
using Microsoft.AspNetCore.Http.Timeouts;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Storage.SubRequests;

/// <summary>
/// One attempt at one object: a request through its route's YARP pipeline, whose response is read here instead of being sent to
/// a client. Disposing it frees the connection and waits until YARP has ended the request.
/// </summary>
internal sealed class SubRequest : IAsyncDisposable
{
    private readonly ObjectRequest _request;
    private readonly HttpContext _context;
    private readonly ResponseCapture _capture;
    private readonly UpstreamTraffic _traffic;
    private readonly CancellationTokenSource _abort;
    private readonly IServiceScope _scope;
    private readonly RequestDelegate _run;
    private Task _pipeline = Task.CompletedTask;
    private HttpResponseMessage? _message;
    private DestinationTraffic? _ofDestination;

    /// <param name="scopes">Creates the request's service scope.</param>
    /// <param name="traffic">Counts what each destination is sent and sends.</param>
    /// <param name="request">The object.</param>
    /// <param name="capture">Receives the response.</param>
    /// <param name="trace">The span whose context storage gets; null: storage gets none.</param>
    /// <param name="cancellationToken">Cancels the attempt, and later the reading of its body.</param>
    public SubRequest(IServiceScopeFactory scopes, UpstreamTraffic traffic, ObjectRequest request, ResponseCapture capture, Activity? trace, CancellationToken cancellationToken)
    {
        _abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _scope = scopes.CreateScope();
        _capture = capture;
        _traffic = traffic;
        _request = request;
        _context = new DefaultHttpContext
        {
            RequestServices = _scope.ServiceProvider,
            RequestAborted = _abort.Token,
            User = request.Client.User,
            TraceIdentifier = request.Client.TraceIdentifier,
        };
        _context.Features.Set(_capture);
        _context.Features.Set<IHttpRequestTimeoutFeature>(NoRequestTimeout.Instance);
        _context.Connection.RemoteIpAddress = request.Client.Address;
        _context.Request.Protocol = HttpProtocol.Http11;
        _context.Request.Scheme = request.Client.Scheme;
        if (request.Client.Host.HasValue)
        {
            _context.Request.Host = request.Client.Host;
        }

        _context.Request.Headers.AcceptEncoding = "identity";
        if (trace is not null)
        {
            // Only the id: the client's tracestate and baggage stay here.
            _context.Request.Headers.TraceParent = trace.Id;
        }

        foreach (var name in request.Source.Headers)
        {
            if (request.Client.Headers.TryGetValue(name, out var values))
            {
                _context.Request.Headers[name] = values;
            }
        }

        request.Source.Address(_context, request.Key);
        _run = request.Source.Endpoint.RequestDelegate!;
    }

    public int StatusCode => _context.Response.StatusCode;

    /// <summary>The status code that storage sent; null if it sent none.</summary>
    public int? ReceivedStatusCode => _message is null ? null : (int)_message.StatusCode;

    /// <summary>The response headers as a single GET through the proxy would return them: after the route's transforms.</summary>
    public IHeaderDictionary Headers => _context.Response.Headers;

    /// <summary>The chosen destination, if there is one.</summary>
    public string? DestinationId => _context.Features.Get<IReverseProxyFeature>()?.ProxiedDestination?.DestinationId;

    /// <summary>The counters of the chosen destination, if there is one.</summary>
    public DestinationTraffic? Traffic => _ofDestination ??= DestinationId is { } destination ? _traffic.Get(_request.Source.Name, destination) : null;

    /// <summary>Whether HTTP framing marks the end of the body.</summary>
    public bool IsFramed =>
        _message is { } message && (message.Version.Major > 1 || message.Content.Headers.ContentLength is not null || message.Headers.TransferEncodingChunked == true);

    /// <summary>Whether the body comes over a connection, and not from a folder.</summary>
    public bool IsRemote => _message?.RequestMessage?.RequestUri is not { IsFile: true };

    /// <summary>Sends the request and waits for the response headers, of any status.</summary>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="range">The requested range; a beginning above 0 only together with <paramref name="etag"/>.</param>
    /// <param name="etag">The version that must be continued.</param>
    /// <param name="cancellationToken">The constructor's token: distinguishes our cancellation from a failure of storage.</param>
    /// <exception cref="StorageException">No response headers were received.</exception>
    public async Task SendAsync(string method, ByteRange range, string? etag, CancellationToken cancellationToken)
    {
        _context.Request.Method = method;
        _capture.IsUrgent = etag is not null;
        if (range.From > 0)
        {
            _context.Request.Headers.Range = range.ToHeader();
            _context.Request.Headers.IfRange = etag;
        }

        _pipeline = RunAsync();
        _message = await _capture.Received;
        if (_message is null)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Explain();
        }

        if (_message.Headers.TransferEncoding is { Count: > 0 } codings && (codings.Count > 1 || _message.Headers.TransferEncodingChunked != true))
        {
            throw new StorageException(FailureReason.Encoded, "Storage sent a Transfer-Encoding other than chunked, which was not requested (RFC 9112, sections 6.1 and 7.4).");
        }
    }

    /// <summary>The request that a redirect within the source leads to (<see cref="Redirect"/>); null if there is none.</summary>
    public async ValueTask<ObjectRequest?> GetRedirectedAsync() =>
        Redirect.Is(StatusCode)
        && Redirect.KeyWithin(_message!, _request.Key) is { } key
        && await _request.Source.ServesAsync(key, _request.Client)
            ? _request with { Key = key, IsExact = true }
            : null;

    /// <summary>The redirect target, for the log.</summary>
    public string? RedirectTarget => Redirect.GetTarget(_message!);

    /// <summary>Whether the destination is overloaded, so that an idle open body keeps others waiting.</summary>
    public bool IsLimited => _capture.Limit is { IsActive: true };

    /// <summary>Reports a pause in reading the body: other requests may use its slot.</summary>
    public void PauseReading() => _capture.Slot?.Dispose();

    /// <summary>Reports that reading the body continues.</summary>
    public void ResumeReading()
    {
        if (_capture is { Slot.IsReleased: true, Limit: { } limit })
        {
            _capture.Slot = limit.Enter();
        }
    }

    public Task<Stream> OpenBodyAsync() => _message!.Content.ReadAsStreamAsync(_abort.Token);

    /// <summary>Reports a broken body to YARP's passive health checks; our own cancellation is not a failure of storage.</summary>
    public void ReportBroken(StorageException exception)
    {
        if (_capture.Failures is { } failures && failures.Count(exception.Reason, _message!.RequestMessage!.RequestUri!.AbsolutePath))
        {
            _context.Features.Set<IForwarderErrorFeature>(new ObservedForwarderError(ForwarderError.ResponseBodyDestination, exception));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _capture.Slot?.Dispose();
        _capture.Release();
        await _pipeline;
        _abort.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "The reader must get every failure of the pipeline; nothing else awaits it.")]
    private async Task RunAsync()
    {
        // Otherwise the client's trace, state and baggage would be sent along.
        Activity.Current = null;
        try
        {
            await _run(_context);
        }
        catch (Exception exception)
        {
            _capture.Failure ??= new StorageException(FailureReason.PipelineFailed, inner: exception);
        }
        finally
        {
            _scope.Dispose();
            _capture.End();
        }
    }

    private StorageException Explain() => (_capture.Failure, _context.Features.Get<IForwarderErrorFeature>()) switch
    {
        ({ } failure, _) => failure,
        (_, { Error: ForwarderError.NoAvailableDestinations }) => new StorageException(FailureReason.NoDestination),
        (_, { Error: ForwarderError.RequestTimedOut }) => new StorageException(FailureReason.ResponseTimeout, "Storage did not respond within the cluster's activity timeout."),
        (_, { Exception: var exception }) => new StorageException(FailureReason.ConnectionBroken, inner: exception),
        _ => new StorageException(FailureReason.RouteResponded),
    };

    /// <summary>A route's timeout applies to a client's request; in a bundle the reader enforces timeouts.</summary>
    private sealed class NoRequestTimeout : IHttpRequestTimeoutFeature
    {
        public static readonly NoRequestTimeout Instance = new();

        public CancellationToken RequestTimeoutToken => CancellationToken.None;

        public void DisableTimeout()
        {
        }
    }
}
