using Gateway.Storage.Connections;
using Gateway.Storage.Sources;
using Yarp.ReverseProxy.Model;

namespace Gateway.Storage.Telemetry;

/// <summary>Reads the state and the traffic of all destinations that sources have now.</summary>
public sealed class UpstreamStatus
{
    private readonly SourceIndex _sources;
    private readonly UpstreamTraffic _traffic;
    private readonly DestinationGuards _guards;

    private readonly TimeProvider _time;

    internal UpstreamStatus(SourceIndex sources, UpstreamTraffic traffic, DestinationGuards guards, TimeProvider time) => (_sources, _traffic, _guards, _time) = (sources, traffic, guards, time);

    /// <summary>All destinations, in the order of their names.</summary>
    public IReadOnlyList<DestinationStatus> Read() =>
    [
        .. from source in _sources.All
           let cluster = source.Route.Cluster
           where cluster is not null
           from destination in cluster.Destinations.Values
           orderby source.Name, destination.DestinationId
           select Read(source.Name, cluster.ClusterId, destination),
    ];

    private DestinationStatus Read(string source, string cluster, DestinationState destination)
    {
        var traffic = _traffic.Get(source, destination.DestinationId);
        var guard = Uri.TryCreate(destination.Model.Config.Address, UriKind.Absolute, out var address) ? _guards.Find(cluster, address) : null;
        return new DestinationStatus(source, destination.DestinationId)
        {
            IsHealthy = destination.Health is { Active: not DestinationHealth.Unhealthy, Passive: not DestinationHealth.Unhealthy },
            IsBreakerOpen = guard?.IsBreakerOpen(_time) is true,
            ConcurrencyLimit = guard?.Limit.Current,
            Answered = traffic.Answered,
            Failed = traffic.Failed,
            Bytes = traffic.Bytes,
            Retries = traffic.Retries,
            Resumes = traffic.Resumes,
            Broken = traffic.Broken,
        };
    }
}
