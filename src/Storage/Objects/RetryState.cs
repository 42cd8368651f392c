using Gateway.Storage.Sources;
using Gateway.Storage.Telemetry;
using Polly;

namespace Gateway.Storage.Objects;

/// <summary>The failed attempts at an object since it last made progress.</summary>
internal sealed class RetryState(Source source, TransferCounters counters)
{
    public static readonly ResiliencePropertyKey<RetryState> Key = new("Gateway.RetryState");

    private readonly HashSet<string> _destinations = new(StringComparer.Ordinal);

    // Of the destination that failed last.
    private DestinationTraffic? _traffic;

    public IReadOnlyCollection<string> Destinations => _destinations;

    /// <summary>Whether a destination is available that has not failed yet. Those that failed may be out of rotation by now.</summary>
    public bool AnyLeft => source.AvailableDestinations.Any(destination => !_destinations.Contains(destination.DestinationId));

    public void Failed(string? destination, DestinationTraffic? traffic)
    {
        _traffic = traffic;
        if (destination is not null)
        {
            _destinations.Add(destination);
        }
    }

    /// <summary>Counts that the failed attempt is repeated.</summary>
    public void CountRetry()
    {
        counters.CountRetry();
        _traffic?.CountRetry();
    }
}
