using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Failures;
using Microsoft.Extensions.Options;

namespace Gateway.Responses;

/// <summary>Reports a failure to the client: with a problem document before the first byte of an archive, by an abort after it.</summary>
internal sealed class ProblemResponder(IOptions<ClientOptions> options, TimeProvider time)
{
    /// <summary>Responds, or aborts.</summary>
    /// <param name="context">The request.</param>
    /// <param name="exception">What failed.</param>
    /// <param name="reason">Why the request ends, if the exception does not say it.</param>
    [SuppressMessage("Design", "CA1031", Justification = "A response that cannot be sent ends as an abort.")]
    public async Task SendAsync(HttpContext context, Exception exception, FailureReason reason)
    {
        // What was buffered for the response cannot be taken back.
        if (context.Response.HasStarted || context.Response.BodyWriter.UnflushedBytes > 0 || context.RequestAborted.IsCancellationRequested || exception is ClientException)
        {
            context.Abort();
            return;
        }

        try
        {
            var refusal = exception switch
            {
                BundleProblemException said => said,
                StorageException storage => new BundleProblemException(storage.Reason.StatusCode, "Storage failed.", storage.Reason, retryAfter: storage.RetryAfter),
                _ => BundleProblemException.From(reason),
            };
            await RespondAsync(context, () => refusal.WriteAsync(context));
        }
        catch (Exception)
        {
            context.Abort();
        }
    }

    /// <summary>Sends a response other than an archive. A client that does not read it holds its memory no longer than one that stops reading
    /// an archive.</summary>
    public async Task RespondAsync(HttpContext context, Func<Task> write)
    {
        using var patience = new CancellationTokenSource(options.Value.StallTimeout, time);
        patience.Token.UnsafeRegister(static context => ((HttpContext)context!).Abort(), context);
        await write();
        await context.Response.CompleteAsync();
    }
}
