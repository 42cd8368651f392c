using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Storage.Tests;

/// <summary>Sources without a host.</summary>
internal static class TestSource
{
    /// <summary>The source <c>s</c> at <c>/s/{**key}</c>.</summary>
    /// <param name="cluster">The id of its cluster.</param>
    /// <param name="headers">Names of headers that storage gets.</param>
    /// <param name="destinations">Ids of available destinations.</param>
    /// <param name="pipeline">What runs in place of YARP.</param>
    public static Source Create(string cluster = "c", string[]? headers = null, string[]? destinations = null, RequestDelegate? pipeline = null)
    {
        var state = new ClusterState(cluster);
        var available = (destinations ?? []).Select(id => new DestinationState(id)).ToArray();
        state.DestinationsState = new ClusterDestinationsState(available, available);
        var route = new RouteModel(new RouteConfig { RouteId = "r", ClusterId = cluster, Match = new RouteMatch { Path = "/s/{**key}" } }, state, HttpTransformer.Default);
        return new Source(
            new SourceConfig("s", "/s/", "key", ParallelRanges: 1, headers ?? []),
            new RouteEndpoint(pipeline ?? (_ => Task.CompletedTask), RoutePatternFactory.Parse("/s/{**key}"), 0, new EndpointMetadataCollection(route), "s"),
            route,
            matcher: null);
    }

    /// <summary>An object of a source.</summary>
    public static ObjectRequest Object(Source source, string key = "k", ClientContext? client = null) => new(source, key, client ?? TestClient.Create());
}
