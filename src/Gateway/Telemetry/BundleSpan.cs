using System.Diagnostics;
using Gateway.Storage;
using Gateway.Storage.Failures;

namespace Gateway.Telemetry;

/// <summary>The span of a request for a bundle, a plan or a link.</summary>
internal static class BundleSpan
{
    /// <summary>Starts it and makes it current.</summary>
    /// <param name="purpose">What the request is for.</param>
    /// <param name="acceptsContext">Whether it belongs to the trace of the client. Otherwise it begins a new trace and is only linked to the client's.</param>
    /// <returns>Null if spans are not recorded.</returns>
    public static Activity? Start(string purpose, bool acceptsContext)
    {
        if (!GatewayActivity.Source.HasListeners())
        {
            return null;
        }

        // The server's own span has read the context that the client sent.
        var server = Activity.Current;
        var isTraced = ActivityContext.TryParse(server?.ParentId, traceState: null, isRemote: true, out var client);
        Activity.Current = null;
        var span = GatewayActivity.Source.StartActivity(
            ActivityKind.Server, isTraced && acceptsContext ? client : default, links: isTraced && !acceptsContext ? [new ActivityLink(client)] : null, name: $"bundle {purpose.ToLowerInvariant()}");
        if (span is null)
        {
            Activity.Current = server;
        }

        return span;
    }

    /// <summary>Adds how the request ended.</summary>
    public static void Describe(Activity span, BundleOutcome outcome)
    {
        span.SetTag("gateway.bundle.format", outcome.Format);
        span.SetTag("gateway.bundle.entries", outcome.Entries);
        span.SetTag("gateway.bundle.bytes", outcome.BytesOut);
        span.SetTag("http.response.status_code", outcome.Status);
        if (outcome.Reason != FailureReason.None)
        {
            span.SetTag("gateway.bundle.origin", outcome.Reason.Origin.ToString());
            span.SetTag("error.type", outcome.Reason.Name);
            span.SetStatus(ActivityStatusCode.Error, outcome.Reason.Text);
        }
    }
}
