using Polly;

namespace Gateway.Upstreams;

/// <summary>What has been tried to get at an object since it last moved.</summary>
internal sealed class Tries(Source source, TransferCounters counters)
{
    public static readonly ResiliencePropertyKey<Tries> Key = new("Gateway.Tries");

    private readonly HashSet<string> _destinations = new(StringComparer.Ordinal);

    public TransferCounters Counters { get; } = counters;

    public IReadOnlyCollection<string> Destinations => _destinations;

    /// <summary>Whether a destination is left that has not failed yet.</summary>
    public bool AnyLeft => source.AvailableDestinations > _destinations.Count;

    public void Failed(string? destination)
    {
        if (destination is not null)
        {
            _destinations.Add(destination);
        }
    }
}
