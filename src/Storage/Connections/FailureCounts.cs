using System.Collections.Concurrent;

namespace Gateway.Storage.Connections;

/// <summary>Which failures count against each destination, for bundles and for direct requests alike.</summary>
/// <remarks>One per destination address, so configuration bounds it.</remarks>
internal sealed class FailureCounts(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, DestinationFailures> _destinations = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="address">A destination's address, or one below it.</param>
    public DestinationFailures Get(Uri address) =>
        _destinations.GetOrAdd(address.GetLeftPart(UriPartial.Authority), static (_, time) => new DestinationFailures(time), time);
}
