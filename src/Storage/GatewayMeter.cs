namespace Gateway.Storage;

/// <summary>The meter of all metrics that the gateway itself records.</summary>
public static class GatewayMeter
{
    /// <summary>The meter's name.</summary>
    public const string Name = "Gateway";
}
