using System.Net;
using Gateway.Admission;
using Gateway.Bundles;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Objects;
using Gateway.Storage.Sources;
using Gateway.Storage.SubRequests;
using Gateway.Storage.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests;

/// <summary>A source that lists what a test states, without YARP, and a request that uses it.</summary>
internal sealed class TestListing : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestMetrics _metrics = new();
    private readonly TestLifetime _lifetime = new();
    private readonly ServiceProvider _services = new ServiceCollection().BuildServiceProvider();
    private readonly BundlePermits _permits;
    private readonly Drain _drain;
    private readonly List<(string Key, ListingRequest Page)> _requests = [];
    private readonly TestHttp _http = new();

    public TestListing(long maxMemory = 64 << 20)
    {
        Memory = new BundleMemory(Options.Create(new MemoryOptions { MaxBytes = maxMemory }), Options.Create(new LimitOptions()));
        _permits = new BundlePermits(Options.Create(new LimitOptions()), _metrics.Bundles);
        _drain = new Drain(Options.Create(new DrainOptions { Delay = TimeSpan.Zero, Timeout = TimeSpan.Zero }), _time, _lifetime, NullLogger<Drain>.Instance);
        Store = new ObjectStore(_services.GetRequiredService<IServiceScopeFactory>(), new UpstreamTraffic(), Options.Create(new UpstreamOptions { Attempts = 1 }), new DecodingLimit(0), _time);
        _http.Context.Connection.RemoteIpAddress = IPAddress.Loopback;
        Run = new BundleRunFactory(Memory, _permits, _drain, Options.Create(new ClientOptions()), Options.Create(new UpstreamOptions()), _time).Create(_http.Context, BundleOperation.Archive);
        Source = CreateSource(decodes: false);
        Decoding = CreateSource(decodes: true);
    }

    public BundleMemory Memory { get; }

    public ObjectStore Store { get; }

    public BundleRun Run { get; }

    public HttpContext Http => _http.Context;

    /// <summary>The source <c>s</c>.</summary>
    public Source Source { get; }

    /// <summary>The same source, if its objects are decoded.</summary>
    public Source Decoding { get; }

    /// <summary>Returns a page of a folder; null: there is no such folder. It may throw.</summary>
    public Func<string, ListingRequest, Task<ListingPage?>> ListAsync { get; set; } = (_, _) => Task.FromResult<ListingPage?>(Page());

    public IReadOnlyList<(string Key, ListingRequest Page)> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    public static ListingPage Page(params ListedObject[] objects) => new(objects, [], null);

    public static ListedObject Listed(string key, long size = 1) => new(key, size, "\"v\"", TestBundle.Modified);

    /// <summary>The entries of a request, of this source.</summary>
    public ResolvedBundle Bundle(params RequestedEntry[] entries) => Bundle(TestBundle.Request(entries: entries));

    public ResolvedBundle Bundle(BundleRequest request) => new(request, [.. request.Entries.Select((entry, i) => Resolve(entry, i))]);

    public ResolvedEntry Resolve(RequestedEntry entry, int index = 0, Source? source = null) => new(index, entry, new ObjectRequest(source ?? Source, entry.Id[2..], TestClient.Create()));

    public void Dispose()
    {
        Run.Dispose();
        Store.Dispose();
        _drain.Dispose();
        _permits.Dispose();
        Memory.Dispose();
        _lifetime.Dispose();
        _metrics.Dispose();
        _services.Dispose();
    }

    private Source CreateSource(bool decodes)
    {
        var route = new RouteModel(new RouteConfig { RouteId = "s", Match = new RouteMatch { Path = "/s/{**key}" } }, null, HttpTransformer.Default);
        return new Source(
            new SourceConfig("s", "/s/", "key", 1, []) { CanList = true, Decodes = decodes },
            new RouteEndpoint(RespondAsync, RoutePatternFactory.Parse("/s/{**key}"), 0, new EndpointMetadataCollection(route), "s"),
            route,
            matcher: null);
    }

    private async Task RespondAsync(HttpContext context)
    {
        var capture = context.Features.Get<ResponseCapture>()!;
        var (key, listing) = ((string)context.Request.RouteValues["key"]!, capture.Listing!);
        lock (_requests)
        {
            _requests.Add((key, listing.Request));
        }

        try
        {
            listing.Page = await ListAsync(key, listing.Request);
        }
        catch (StorageException e)
        {
            capture.Failure = e;
            return;
        }

        context.Response.StatusCode = listing.Page is null ? 404 : 200;
        using var response = new HttpResponseMessage((HttpStatusCode)context.Response.StatusCode);
        await capture.HandOverAsync(response);
    }
}
