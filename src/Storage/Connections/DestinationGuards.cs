using System.Collections.Concurrent;
using Polly.CircuitBreaker;

namespace Gateway.Storage.Connections;

/// <summary>What decides whether a destination gets a request.</summary>
/// <param name="Limit">Of concurrent requests.</param>
/// <param name="Breaker">Whether the destination has failed too often within the last seconds.</param>
internal sealed record DestinationGuard(ConcurrencyLimit Limit, CircuitBreakerStateProvider Breaker);

/// <summary>The guards of all destinations that have had a request, for metrics.</summary>
/// <remarks>Thread-safe. One entry for each address that a cluster has had, so configuration bounds it. An entry does not keep its guard alive.</remarks>
internal sealed class DestinationGuards
{
    private readonly ConcurrentDictionary<(string Cluster, string Authority), WeakReference<DestinationGuard>> _guards = new();

    /// <summary>Adds the guard of a destination; replaces a previous one.</summary>
    /// <param name="cluster">The cluster's id.</param>
    /// <param name="address">The destination's address, or one below it.</param>
    /// <param name="guard">The guard.</param>
    public void Add(string cluster, Uri address, DestinationGuard guard) => _guards[(cluster, address.Authority)] = new(guard);

    /// <summary>The guard of a destination; null if it has had no request yet.</summary>
    public DestinationGuard? Find(string cluster, Uri address) =>
        _guards.TryGetValue((cluster, address.Authority), out var reference) && reference.TryGetTarget(out var guard) ? guard : null;
}
