using System.Diagnostics;
using Gateway.Storage.Failures;
using Gateway.Storage.Sources;

namespace Gateway.Storage.Telemetry;

/// <summary>The span of an object, from its first request to its last byte. Failed attempts are its events.</summary>
internal static class ObjectSpan
{
    // A span is kept in memory until its bundle ends. Exporters commonly send no more events than this.
    private const int MaxFailures = 100;
    private const string Failures = "Gateway.Failures";

    /// <summary>Starts it within the span of its bundle, and makes it current.</summary>
    /// <returns>Null if spans are not recorded.</returns>
    public static Activity? Start(Source source) =>
        GatewayActivity.Current is null ? null : GatewayActivity.Source.StartActivity("object", ActivityKind.Client)?.SetTag("gateway.source", source.Name);

    /// <summary>Ends the span of an object that could not be opened.</summary>
    public static void End(Activity? span, FailureReason reason)
    {
        span?.SetTag("error.type", reason.Name);
        span?.SetStatus(ActivityStatusCode.Error, reason.Text);
        span?.Dispose();
    }

    /// <summary>Adds a failed attempt to the current span. That an object does not exist is no failure.</summary>
    /// <param name="destination">The destination's id in the configuration.</param>
    /// <param name="reason">Why; null if the request was cancelled.</param>
    public static void NoteFailed(string? destination, FailureReason? reason)
    {
        if (reason is null || reason == FailureReason.NotFound || GatewayActivity.Current is not { IsAllDataRequested: true } span)
        {
            return;
        }

        var count = (int)(span.GetCustomProperty(Failures) ?? 0);
        if (count < MaxFailures)
        {
            span.SetCustomProperty(Failures, count + 1);
            span.AddEvent(new("attempt failed", tags: new() { ["gateway.destination"] = destination, ["error.type"] = reason.Name }));
        }
    }
}
