using System.Diagnostics;
using Gateway.Storage.Failures;
using Gateway.Storage.Sources;

namespace Gateway.Storage.Telemetry;

/// <summary>The span of an object, from its first request to its last byte. Failed attempts are its events.</summary>
internal static class ObjectSpan
{
    /// <summary>Starts it within the span of its bundle, and makes it current.</summary>
    /// <returns>Null if nobody records it.</returns>
    public static Activity? Start(Source source) =>
        GatewayActivity.Current is null ? null : GatewayActivity.Source.StartActivity("object", ActivityKind.Client)?.SetTag("gateway.source", source.Name);

    /// <summary>Ends the span of an object that could not be opened.</summary>
    public static void End(Activity? span, FailureReason reason)
    {
        span?.SetTag("error.type", reason.Name);
        span?.SetStatus(ActivityStatusCode.Error, reason.Text);
        span?.Dispose();
    }

    /// <summary>Adds an event to the current span.</summary>
    /// <param name="name">What happened.</param>
    /// <param name="destination">The destination's id in the configuration.</param>
    /// <param name="reason">Why; null if the request was cancelled.</param>
    public static void Note(string name, string? destination, FailureReason? reason) =>
        GatewayActivity.Current?.AddEvent(new(name, tags: new() { ["gateway.destination"] = destination, ["error.type"] = reason?.Name }));
}
