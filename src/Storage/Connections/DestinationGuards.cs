using System.Collections.Concurrent;
using Polly.CircuitBreaker;

namespace Gateway.Storage.Connections;

/// <summary>What decides whether a destination gets a request.</summary>
/// <param name="Limit">Of concurrent requests.</param>
/// <param name="Breaker">The circuit breaker.</param>
internal sealed record DestinationGuard(ConcurrencyLimit Limit, CircuitBreakerStateProvider Breaker)
{
    private long _opened;

    /// <summary>How long the breaker stays open before it lets a request through.</summary>
    public static TimeSpan BreakDuration { get; } = TimeSpan.FromSeconds(2);

    /// <summary>The breaker has opened.</summary>
    public void NoteOpened(TimeProvider time) => Volatile.Write(ref _opened, time.GetTimestamp());

    /// <summary>Whether requests are refused, or one is being tried. The breaker itself stays open until a request comes, however long that takes.</summary>
    public bool IsBreakerOpen(TimeProvider time) =>
        Breaker.CircuitState is CircuitState.HalfOpen or CircuitState.Isolated || (Breaker.CircuitState == CircuitState.Open && time.GetElapsedTime(Volatile.Read(ref _opened)) < BreakDuration);
}

/// <summary>The guards of all destinations that have had a request, for metrics.</summary>
/// <remarks>Thread-safe. One entry for each address that a cluster has had, so configuration bounds it. An entry does not keep its guard alive.</remarks>
internal sealed class DestinationGuards
{
    private readonly ConcurrentDictionary<(string Cluster, string Authority), WeakReference<DestinationGuard>> _guards = new();

    /// <summary>Adds the guard of a destination; replaces a previous one.</summary>
    /// <param name="cluster">The cluster's id.</param>
    /// <param name="address">The destination's address, or one below it.</param>
    /// <param name="guard">The guard.</param>
    public void Add(string cluster, Uri address, DestinationGuard guard) => _guards[(cluster, address.GetLeftPart(UriPartial.Authority))] = new(guard);

    /// <summary>The guard of a destination; null if it has had no request yet.</summary>
    public DestinationGuard? Find(string cluster, Uri address) =>
        _guards.TryGetValue((cluster, address.GetLeftPart(UriPartial.Authority)), out var reference) && reference.TryGetTarget(out var guard) ? guard : null;
}
