using System.Collections.Concurrent;

namespace Gateway.Storage.Telemetry;

/// <summary>The traffic of every destination of every source since the start.</summary>
/// <remarks>Any number of threads. One entry for each destination that a source has had, so configuration bounds it.</remarks>
public sealed class UpstreamTraffic
{
    private readonly ConcurrentDictionary<(string Source, string Destination), DestinationTraffic> _destinations = new();

    /// <summary>The traffic of a destination.</summary>
    /// <param name="source">The source's name.</param>
    /// <param name="destination">The destination's id in the configuration.</param>
    internal DestinationTraffic Get(string source, string destination) => _destinations.GetOrAdd((source, destination), static _ => new DestinationTraffic());
}
