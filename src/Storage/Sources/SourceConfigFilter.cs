using Yarp.ReverseProxy.Configuration;

namespace Gateway.Storage.Sources;

/// <summary>
/// Validates the source metadata of routes and clusters, at startup and at every reload. An error is thrown into YARP, which then rejects
/// the configuration as a whole: proxied requests and bundles both keep the previous one.
/// </summary>
/// <param name="services">Provides the configuration providers.</param>
/// <param name="defaultSource">The source that must exist, or null.</param>
internal sealed class SourceConfigFilter(IServiceProvider services, DefaultSource defaultSource) : IProxyConfigFilter
{
    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel)
    {
        var faults = new List<string>();
        SourceConfig.CheckCluster(cluster, faults);
        Require(faults);
        return new(cluster);
    }

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        // The filter sees one route at a time. Rules about several routes use the snapshot that contains them.
        var snapshot = services.GetServices<IProxyConfigProvider>().Select(provider => provider.GetConfig()).ToArray();
        var routes = snapshot.SelectMany(config => config.Routes).ToArray();
        var faults = new List<string>();
        if (SourceConfig.Parse(route, cluster, faults) is { } source)
        {
            RequireCluster(route, snapshot, faults);
            RequireUniqueName(route, source.Name, routes, faults);
        }

        if (route.RouteId == routes.FirstOrDefault()?.RouteId
            && defaultSource.Name is { } name
            && !routes.Any(other => other.Metadata?.GetValueOrDefault(SourceConfig.NameKey) == name))
        {
            faults.Add(defaultSource.Fault);
        }

        Require(faults);
        return new(route);
    }

    private static void RequireCluster(RouteConfig route, IProxyConfig[] snapshot, List<string> faults)
    {
        if (!snapshot.Any(config => config.Clusters.Any(cluster => string.Equals(cluster.ClusterId, route.ClusterId, StringComparison.OrdinalIgnoreCase))))
        {
            faults.Add($"ReverseProxy:Routes:{route.RouteId}:ClusterId: there is no cluster '{route.ClusterId}'");
        }
    }

    private static void RequireUniqueName(RouteConfig route, string name, RouteConfig[] routes, List<string> faults)
    {
        var first = routes.First(other => other.Metadata?.GetValueOrDefault(SourceConfig.NameKey) == name);
        if (first.RouteId != route.RouteId)
        {
            faults.Add($"ReverseProxy:Routes:{route.RouteId}:Metadata:{SourceConfig.NameKey}: '{name}' is already the source of route '{first.RouteId}'");
        }
    }

    private static void Require(List<string> faults)
    {
        if (faults.Count > 0)
        {
            throw new InvalidConfigurationException(faults);
        }
    }
}
