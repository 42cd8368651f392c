using Gateway.Storage.SubRequests;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Storage.Tests.SubRequests;

public class TriedDestinationsTests
{
    [Theory]
    [InlineData("", "abc", false)]
    [InlineData("a", "bc", false)]
    [InlineData("ac", "b", true)]
    [InlineData("abc", "abc", true)]
    [InlineData("x", "abc", false)]
    public async Task A_retry_uses_a_destination_that_was_not_tried_if_there_is_one(string tried, string available, bool isLast)
    {
        var capture = new ResponseCapture([.. tried.Select(c => c.ToString())]);

        var offered = await SkipAsync(capture);

        Assert.Equal(available, offered);
        Assert.Equal(isLast, capture.IsLastDestination);
    }

    [Fact]
    public async Task A_direct_request_keeps_all_destinations() => Assert.Equal("abc", await SkipAsync(capture: null));

    private static async Task<string> SkipAsync(ResponseCapture? capture)
    {
        var proxy = new Proxy { AvailableDestinations = [.. "abc".Select(c => new DestinationState(c.ToString()))] };
        var context = new DefaultHttpContext();
        context.Features.Set(capture);
        context.Features.Set<IReverseProxyFeature>(proxy);
        await TriedDestinations.SkipAsync(context, _ => Task.CompletedTask);
        return string.Concat(proxy.AvailableDestinations.Select(destination => destination.DestinationId));
    }

    private sealed class Proxy : IReverseProxyFeature
    {
        public RouteModel Route { get; } = new(new RouteConfig(), null, HttpTransformer.Default);

        public ClusterModel Cluster { get; set; } = null!;

        public IReadOnlyList<DestinationState> AllDestinations => AvailableDestinations;

        public IReadOnlyList<DestinationState> AvailableDestinations { get; set; } = [];

        public DestinationState? ProxiedDestination { get; set; }
    }
}
