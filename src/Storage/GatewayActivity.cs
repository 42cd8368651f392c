using System.Diagnostics;

namespace Gateway.Storage;

/// <summary>The source of all spans that the gateway itself records. Their names and tags contain no key, no host and nothing that a client sent.</summary>
public static class GatewayActivity
{
    /// <summary>The source.</summary>
    public static ActivitySource Source { get; } = new(GatewayMeter.Name);

    /// <summary>The current span, if it is one of the gateway. Others belong to the client's trace.</summary>
    public static Activity? Current => Activity.Current is { } current && current.Source == Source ? current : null;
}
