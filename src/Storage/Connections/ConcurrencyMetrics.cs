using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Gateway.Storage.Connections;

/// <summary>Publishes the limit of concurrent requests of every destination that currently has one.</summary>
/// <remarks>Thread-safe. One entry for each address of a client that is alive, or was when the limits were last read.</remarks>
internal sealed class ConcurrencyMetrics
{
    private readonly ConcurrentDictionary<(string Cluster, string Address), WeakReference<ConcurrencyLimit>> _limits = new();

    public ConcurrencyMetrics(IMeterFactory factory) => factory.Create(GatewayMeter.Name).CreateObservableGauge(
        "gateway.upstream.concurrency_limit", Observe, "{request}", "Limit of concurrent requests to a destination that is overloaded or has a fixed limit.");

    /// <summary>Adds the limit of a destination; replaces a previous one.</summary>
    public void Add(string cluster, string address, ConcurrencyLimit limit) => _limits[(cluster, address)] = new(limit);

    private IEnumerable<Measurement<double>> Observe()
    {
        foreach (var ((cluster, address), reference) in _limits)
        {
            if (!reference.TryGetTarget(out var limit))
            {
                _limits.TryRemove(new((cluster, address), reference));
            }
            else if (limit.Current is { } current)
            {
                yield return new(current, new("cluster", cluster), new("address", address));
            }
        }
    }
}
