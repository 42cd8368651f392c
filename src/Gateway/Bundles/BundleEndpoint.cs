using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Admission;
using Gateway.Health;
using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>
/// <c>/bundle</c>: the way of one request.
/// <list type="number">
/// <item>(0) lift server limits that are meant for small bodies</item>
/// <item>(1) parse what is asked for</item>
/// <item>(2) admit: find the sources, ask whether the client may, wait for a turn</item>
/// <item>(3) plan: ask storage what the objects are, unless a missing one may cut the stream</item>
/// <item>(4) conditions and ranges: none are offered, so a request with them gets the whole archive, as RFC 9110 has it</item>
/// <item>(5) headers: until here a failure is a problem document</item>
/// <item>(6) stream: from here on a failure is an abort</item>
/// <item>(7) record the outcome, once, whatever happened</item>
/// </list>
/// </summary>
internal sealed class BundleEndpoint(
    BundlePlanner planner,
    BundleStreamer streamer,
    SourceAuthorization authorization,
    BundleAdmission admission,
    Drain drain,
    BundleMetrics metrics,
    IOptions<BundleOptions> options,
    TimeProvider time,
    ILogger<BundleEndpoint> logger)
{
    private static readonly JsonSerializerOptions PlanJson = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    private readonly BundleOptions _options = options.Value;

    /// <summary>GET, HEAD and POST of <c>/bundle</c>.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Every exception ends as one outcome; none may reach the server as a tidy end.")]
    public async Task SendAsync(HttpContext context)
    {
        var record = new BundleRecord();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, drain.Cut);
        using var client = new ClientWriter(context.Response.BodyWriter, _options.Client.StallTimeout, time, stop.Token);
        try
        {
            LiftLimits(context);
            RequireKnownEnd(context.Request);
            var request = await ReadAsync(context.Request, stop.Token);
            record.Entries = request.Entries.Count;
            await using var plan = planner.Resolve(request, Caller.Of(context));
            await authorization.RequireAsync(context, plan);
            using var turn = await AdmitAsync(context, stop.Token);
            if (request.Missing != MissingPolicy.Abort)
            {
                await planner.CheckAsync(plan, record.Transfer, stop.Token);
                planner.Require(plan, request.Missing);
                record.Skipped = plan.Skipped;
            }

            BundleResponse.WriteHead(context.Response, plan, request.Missing);
            if (!HttpMethods.IsHead(context.Request.Method))
            {
                await context.Response.StartAsync(stop.Token);
                await streamer.StreamAsync(plan, _options.Limits.MaxBytes, client, record, stop.Token);
            }
        }
        catch (Exception exception)
        {
            record.Failed(exception, context.RequestAborted.IsCancellationRequested, drain.Cut.IsCancellationRequested);
            await AnswerFailureAsync(context, exception);
        }
        finally
        {
            record.Tell(logger, metrics, client.Bytes, client.Waited);
        }
    }

    /// <summary>GET and POST of <c>/bundle/plan</c>: steps 1 to 3, and what they found.</summary>
    public async Task PlanAsync(HttpContext context)
    {
        try
        {
            LiftLimits(context);
            var request = await ReadAsync(context.Request, context.RequestAborted);
            await using var plan = planner.Resolve(request, Caller.Of(context));
            await authorization.RequireAsync(context, plan);
            await planner.CheckAsync(plan, new TransferCounters(), context.RequestAborted);
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteAsJsonAsync(PlanDocument.Of(plan), PlanJson, context.RequestAborted);
        }
        catch (BundleRefusal refusal)
        {
            await AnswerFailureAsync(context, refusal);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
    }

    private static void LiftLimits(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = BundleFields.MaxBodyBytes;
        }
    }

    /// <summary>HTTP/1.0 ends a body of unknown length by closing the connection: a cut archive would look whole.</summary>
    private static void RequireKnownEnd(HttpRequest request)
    {
        if (HttpProtocol.IsHttp10(request.Protocol) || HttpProtocol.IsHttp09(request.Protocol))
        {
            throw new BundleRefusal(
                StatusCodes.Status505HttpVersionNotsupported,
                "Over HTTP/1.0 an archive that was cut short could not be told from a whole one; use HTTP/1.1 or later.",
                Culprit.Client,
                Stage.Request);
        }
    }

    private async Task<BundleRequest> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return BundleRequest.Create(await BundleFields.ReadAsync(request, cancellationToken), _options);
        }
        catch (BadHttpRequestException e) when (!request.HttpContext.RequestAborted.IsCancellationRequested)
        {
            // Too large, too slow, or not as framed: the server knows the status.
            throw new BundleRefusal(e.StatusCode, "The body of the request cannot be read.", Culprit.Client, Stage.Request);
        }
    }

    private async ValueTask<IDisposable?> AdmitAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return null;
        }

        var (turn, refusal) = await admission.EnterAsync(context.Connection.RemoteIpAddress, cancellationToken);
        if (turn is null)
        {
            throw new BundleRefusal(
                refusal,
                refusal == StatusCodes.Status429TooManyRequests ? "This client has as many bundles running as it may." : "As many bundles run and wait as may.",
                Culprit.Client,
                Stage.Admission);
        }

        if (drain.TryEnter())
        {
            metrics.Started();
            return new ActiveBundle(turn, drain, metrics);
        }

        turn.Dispose();
        throw new BundleRefusal(
            StatusCodes.Status503ServiceUnavailable, "This replica is being shut down.", Culprit.Gateway, Stage.Drain);
    }

    [SuppressMessage("Design", "CA1031", Justification = "An answer that cannot be given ends as an abort.")]
    private static async Task AnswerFailureAsync(HttpContext context, Exception exception)
    {
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
            return;
        }

        try
        {
            var refusal = exception as BundleRefusal ?? new BundleRefusal(
                exception is OperationCanceledException ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status500InternalServerError,
                "The gateway failed.",
                Culprit.Gateway,
                Stage.Fault);
            await refusal.ToResult(context).ExecuteAsync(context);
        }
        catch (Exception)
        {
            context.Abort();
        }
    }

    private sealed class ActiveBundle(IDisposable turn, Drain drain, BundleMetrics metrics) : IDisposable
    {
        public void Dispose()
        {
            metrics.Stopped();
            drain.Leave();
            turn.Dispose();
        }
    }
}
