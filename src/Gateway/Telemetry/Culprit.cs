namespace Gateway.Telemetry;

/// <summary>Who is to blame for how a bundle ended.</summary>
internal enum Culprit
{
    /// <summary>Nobody: it was sent whole.</summary>
    None,
    Client,
    Upstream,
    Gateway,
}
