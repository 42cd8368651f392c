namespace Gateway.Storage.Telemetry;

/// <summary>The state of a destination that a source has now, and its traffic since the start.</summary>
/// <param name="Source">The source's name.</param>
/// <param name="Destination">The destination's id in the configuration.</param>
public sealed record DestinationStatus(string Source, string Destination)
{
    /// <summary>Whether the cluster's health checks consider it usable.</summary>
    public bool IsHealthy { get; init; }

    /// <summary>Whether the circuit breaker refuses requests, because too many have failed within the last seconds.</summary>
    public bool IsBreakerOpen { get; init; }

    /// <summary>Concurrent requests that it gets at most; null: no limit.</summary>
    public double? ConcurrencyLimit { get; init; }

    /// <summary>Requests whose response could be used.</summary>
    public long Answered { get; init; }

    /// <summary>Requests that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Bytes of objects.</summary>
    public long Bytes { get; init; }

    /// <summary>Requests that failed and were repeated.</summary>
    public long Retries { get; init; }

    /// <summary>Bodies that were continued.</summary>
    public long Resumes { get; init; }

    /// <summary>Bodies that broke, stalled or were too slow.</summary>
    public long Broken { get; init; }
}
