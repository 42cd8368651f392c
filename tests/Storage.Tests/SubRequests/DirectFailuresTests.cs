using Gateway.Storage.Connections;
using Gateway.Storage.SubRequests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Storage.Tests.SubRequests;

public sealed class DirectFailuresTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSingleton(new FailureCounts(new FakeTimeProvider())).BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task A_destination_that_cannot_be_reached_is_reported_every_time()
    {
        var refused = new HttpRequestException(HttpRequestError.ConnectionError);

        Assert.True(await IsReportedAsync("/a", ForwarderError.Request, refused));
        Assert.True(await IsReportedAsync("/a", ForwarderError.Request, refused));
    }

    [Fact]
    public async Task One_broken_object_is_reported_once()
    {
        Assert.True(await IsReportedAsync("/a", ForwarderError.ResponseBodyDestination, new IOException()));
        Assert.False(await IsReportedAsync("/a", ForwarderError.ResponseBodyDestination, new IOException()));

        Assert.True(await IsReportedAsync("/b", ForwarderError.RequestTimedOut, null));
        Assert.False(await IsReportedAsync("/b", ForwarderError.RequestTimedOut, null));
    }

    [Fact]
    public async Task A_failure_that_proves_nothing_about_the_destination_is_not_reported() =>
        Assert.False(await IsReportedAsync("/a", ForwarderError.Request, new HttpRequestException(HttpRequestError.InvalidResponse)));

    [Fact]
    public async Task Errors_of_the_client_are_left_to_YARP() =>
        Assert.True(await IsReportedAsync("/a", ForwarderError.RequestBodyClient, new IOException()));

    [Fact]
    public async Task A_sub_request_reports_its_own_failures()
    {
        var invalid = new HttpRequestException(HttpRequestError.InvalidResponse);

        Assert.True(await IsReportedAsync("/a", ForwarderError.Request, invalid, new ResponseCapture([])));
    }

    private async Task<bool> IsReportedAsync(string path, ForwarderError error, Exception? exception, ResponseCapture? capture = null)
    {
        var context = new DefaultHttpContext { RequestServices = _services, Request = { Path = path } };
        var destination = new DestinationState("d", new DestinationModel(new DestinationConfig { Address = "http://storage:9000/prefix/" }));
        context.Features.Set(capture);
        context.Features.Set<IReverseProxyFeature>(new Proxy { ProxiedDestination = destination });
        await DirectFailures.FilterAsync(context, next =>
        {
            next.Features.Set<IForwarderErrorFeature>(new ObservedForwarderError(error, exception));
            return Task.CompletedTask;
        });
        return context.Features.Get<IForwarderErrorFeature>() is not null;
    }

    private sealed class Proxy : IReverseProxyFeature
    {
        public RouteModel Route { get; } = new(new RouteConfig(), null, HttpTransformer.Default);

        public ClusterModel Cluster { get; set; } = null!;

        public IReadOnlyList<DestinationState> AllDestinations => [];

        public IReadOnlyList<DestinationState> AvailableDestinations { get; set; } = [];

        public DestinationState? ProxiedDestination { get; set; }
    }
}
