using Gateway.Storage.Sources;
using Polly;

namespace Gateway.Storage.Objects;

/// <summary>What has been tried to get at an object since it last moved.</summary>
internal sealed class RetryState(Source source, TransferCounters counters)
{
    public static readonly ResiliencePropertyKey<RetryState> Key = new("Gateway.RetryState");

    private readonly HashSet<string> _destinations = new(StringComparer.Ordinal);

    public TransferCounters Counters { get; } = counters;

    public IReadOnlyCollection<string> Destinations => _destinations;

    /// <summary>Whether a destination is available that has not failed yet. Those that have may be out of rotation by now.</summary>
    public bool AnyLeft => source.AvailableDestinations.Any(destination => !_destinations.Contains(destination.DestinationId));

    public void Failed(string? destination)
    {
        if (destination is not null)
        {
            _destinations.Add(destination);
        }
    }
}
