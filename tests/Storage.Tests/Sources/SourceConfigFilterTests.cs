using Gateway.Storage;
using Gateway.Storage.Sources;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;

namespace Storage.Tests.Sources;

public class SourceConfigFilterTests
{
    private static readonly ClusterConfig Cluster = new() { ClusterId = "c" };

    [Fact]
    public async Task A_valid_configuration_passes_unchanged()
    {
        RouteConfig[] routes = [Route("r1", "a"), Route("r2", "b", "C"), Route("r3", null)];

        foreach (var route in routes)
        {
            Assert.Same(route, await ConfigureAsync(route, routes, defaultSource: "b"));
        }
    }

    [Fact]
    public async Task Two_routes_cannot_be_the_same_source()
    {
        RouteConfig[] routes = [Route("r1", "a"), Route("r2", "a")];
        await ConfigureAsync(routes[0], routes);

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => ConfigureAsync(routes[1], routes).AsTask());

        Assert.Equal(["ReverseProxy:Routes:r2:Metadata:Bundle.Source: 'a' is already the source of route 'r1'"], fault.Faults);
    }

    [Fact]
    public async Task A_source_needs_a_cluster()
    {
        var route = Route("r1", "a", "other");

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => ConfigureAsync(route, [route]).AsTask());

        Assert.Equal(["ReverseProxy:Routes:r1:ClusterId: there is no cluster 'other'"], fault.Faults);
    }

    [Fact]
    public async Task A_missing_default_source_is_reported_once()
    {
        RouteConfig[] routes = [Route("r1", "a"), Route("r2", "b")];

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => ConfigureAsync(routes[0], routes, "missing").AsTask());
        await ConfigureAsync(routes[1], routes, "missing");

        Assert.Equal(["Bundle:DefaultSource: there is no source 'missing'"], fault.Faults);
    }

    [Fact]
    public async Task All_faults_of_a_route_are_in_one_exception()
    {
        var route = Route("r1", "a b", "c");

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => ConfigureAsync(route, [route], "missing").AsTask());

        Assert.Equal(2, fault.Faults.Count);
        Assert.Equal(string.Join(Environment.NewLine, fault.Faults), fault.Message);
    }

    [Fact]
    public async Task A_cluster_with_invalid_metadata_is_rejected()
    {
        var filter = Create([], null);
        var invalid = Cluster with { Metadata = new Dictionary<string, string> { ["Bundle.ParallelRanges"] = "x" } };

        await Assert.ThrowsAsync<InvalidConfigurationException>(() => filter.ConfigureClusterAsync(invalid, default).AsTask());

        Assert.Same(Cluster, await filter.ConfigureClusterAsync(Cluster, default));
    }

    private static RouteConfig Route(string id, string? source, string cluster = "c") => new()
    {
        RouteId = id,
        ClusterId = cluster,
        Match = new RouteMatch { Path = $"/{id}/{{**key}}" },
        Metadata = source is null ? null : new Dictionary<string, string> { ["Bundle.Source"] = source },
    };

    private static ValueTask<RouteConfig> ConfigureAsync(RouteConfig route, RouteConfig[] routes, string? defaultSource = null) =>
        Create(routes, defaultSource).ConfigureRouteAsync(route, null, default);

    private static SourceConfigFilter Create(RouteConfig[] routes, string? defaultSource)
    {
        var services = new ServiceCollection().AddSingleton<IProxyConfigProvider>(new InMemoryConfigProvider(routes, [Cluster]));
        return new SourceConfigFilter(services.BuildServiceProvider(), new DefaultSource(defaultSource));
    }
}
