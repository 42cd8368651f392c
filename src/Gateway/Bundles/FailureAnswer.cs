using System.Diagnostics.CodeAnalysis;
using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>How a failure is told: by a problem document while nothing has left, and by an abort from then on.</summary>
internal sealed class FailureAnswer(IOptions<ClientOptions> options, TimeProvider time)
{
    /// <summary>Answers, or aborts.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "An answer that cannot be given ends as an abort.")]
    public async Task SendAsync(HttpContext context, Exception exception)
    {
        // What stands in the response's buffer cannot be taken back.
        if (context.Response.HasStarted || context.Response.BodyWriter.UnflushedBytes > 0 || context.RequestAborted.IsCancellationRequested || exception is ClientException)
        {
            context.Abort();
            return;
        }

        try
        {
            var refusal = exception switch
            {
                BundleRefusal said => said,
                UpstreamException storage => new BundleRefusal(storage.StatusCode, "Storage failed.", Culprit.Upstream, storage.Stage, retryAfter: storage.RetryAfter),
                OperationCanceledException => new BundleRefusal(StatusCodes.Status503ServiceUnavailable, "The gateway failed.", Culprit.Gateway, Stage.Fault),
                _ => new BundleRefusal(StatusCodes.Status500InternalServerError, "The gateway failed.", Culprit.Gateway, Stage.Fault),
            };
            await RespondAsync(context, () => refusal.ToResult(context).ExecuteAsync(context));
        }
        catch (Exception)
        {
            context.Abort();
        }
    }

    /// <summary>Sends a response that is no archive. A client that does not take it holds its memory no longer than one that stops taking
    /// an archive.</summary>
    public async Task RespondAsync(HttpContext context, Func<Task> write)
    {
        using var patience = new CancellationTokenSource(options.Value.StallTimeout, time);
        patience.Token.UnsafeRegister(static context => ((HttpContext)context!).Abort(), context);
        await write();
        await context.Response.CompleteAsync();
    }
}
