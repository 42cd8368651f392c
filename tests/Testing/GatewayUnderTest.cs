using System.Collections.Concurrent;
using System.Net.NetworkInformation;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Admission;
using Gateway.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;
using Yarp.ReverseProxy;

namespace Testing;

/// <summary>The whole gateway on real ports, one for each <see cref="Protocol"/>, configured by a file as an operator would.</summary>
internal sealed class GatewayUnderTest : IAsyncDisposable
{
    private const string AnyPort = "127.0.0.1:0";

    private readonly DirectoryInfo _folder;
    private readonly GatewayMeters _meters;
    private readonly ConcurrentDictionary<Protocol, HttpClient> _clients = new();
    private readonly Uri[] _addresses;
    private readonly CancellationTokenRegistration _abandoned;

    private GatewayUnderTest(WebApplication app, DirectoryInfo folder, OutcomeLog outcomes, GatewayMeters meters)
    {
        App = app;
        _folder = folder;
        _meters = meters;
        Outcomes = outcomes;
        _abandoned = TestContext.Current.CancellationToken.UnsafeRegister(_ => _ = AbandonAsync(), null);
        _addresses = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address))];
    }

    public WebApplication App { get; }

    /// <summary>The URL for HTTP/1.1 in cleartext.</summary>
    public Uri Address => AddressOf(Protocol.Http1);

    /// <summary>Everything it listens on.</summary>
    public IReadOnlyList<Uri> Addresses => _addresses;

    /// <summary>A client for HTTP/1.1 in cleartext.</summary>
    public HttpClient Client => ClientOf(Protocol.Http1);

    /// <summary>Bundles that wait for a permit, according to the metric.</summary>
    public long Queued => _meters.Ask("gateway.bundle.queued");

    /// <summary>The current values of all gauges, by name and tags.</summary>
    public IReadOnlyDictionary<string, double> ReadGauges() => _meters.ReadGauges();

    /// <summary>The log line of each bundle.</summary>
    public OutcomeLog Outcomes { get; }

    /// <summary>A gateway with one source for each given address: s, s2, s3 …</summary>
    public static Task<GatewayUnderTest> StartAsync(params string[] addresses) => StartAsync(null, addresses);

    /// <summary>The same, with settings of the <c>Bundle</c> section like <c>Upstream:StallTimeout</c>.</summary>
    public static Task<GatewayUnderTest> StartAsync((string Key, object Value)[]? settings, params string[] addresses)
    {
        var configuration = Configuration([.. addresses.Select((address, i) => (i == 0 ? "s" : $"s{i + 1}", new[] { address }))]);
        foreach (var (key, value) in settings ?? [])
        {
            Set(configuration, "Bundle:" + key, value);
        }

        return StartAsync(configuration);
    }

    /// <param name="configuration">Read as a file.</param>
    /// <param name="extend">Changes the services last.</param>
    /// <param name="urls">Where to listen instead of a port for each protocol.</param>
    public static async Task<GatewayUnderTest> StartAsync(JsonObject configuration, Action<WebApplicationBuilder>? extend = null, string? urls = null)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-test-");
        var outcomes = new OutcomeLog();
        try
        {
            if (urls is null)
            {
                ListenForAll(configuration);
            }

            var file = FileIn(folder);
            await File.WriteAllTextAsync(file, configuration.ToJsonString());
            var app = GatewayHost.Build(file, urls, builder =>
            {
                if (!builder.Configuration.GetSection("Kestrel:Certificates:Default").Exists())
                {
                    builder.WebHost.ConfigureKestrel(server => server.ConfigureHttpsDefaults(https => https.ServerCertificate = TestCertificate.Shared));
                }

                builder.Logging.ClearProviders().AddProvider(outcomes).AddFilter(typeof(OutcomeLog).FullName, LogLevel.Debug);
                extend?.Invoke(builder);
            });
            var meters = new GatewayMeters(app.Services);
            await app.StartAsync();
            return new GatewayUnderTest(app, folder, outcomes, meters);
        }
        catch
        {
            folder.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>Routes <c>/name/{**key}</c> with a source each, and a cluster each of the given destinations.</summary>
    public static JsonObject Configuration(params (string Name, string[] Destinations)[] sources)
    {
        var configuration = new JsonObject();
        foreach (var (name, destinations) in sources)
        {
            Set(configuration, $"ReverseProxy:Routes:{name}:ClusterId", name);
            Set(configuration, $"ReverseProxy:Routes:{name}:Match:Path", $"/{name}/{{**key}}");
            Set(configuration, $"ReverseProxy:Routes:{name}:Metadata:Bundle.Source", name);
            configuration["ReverseProxy"]!["Routes"]![name]!["Transforms"] = new JsonArray(new JsonObject { ["PathRemovePrefix"] = $"/{name}" });
            for (var i = 0; i < destinations.Length; i++)
            {
                Set(configuration, $"ReverseProxy:Clusters:{name}:Destinations:d{i}:Address", destinations[i]);
            }
        }

        Set(configuration, "Bundle:Drain:Delay", "00:00:00");
        Set(configuration, "Bundle:Drain:Timeout", "00:00:00");
        return configuration;
    }

    /// <summary>Makes a gateway listen on a port for each protocol.</summary>
    /// <param name="configuration">Changed in place.</param>
    public static void ListenForAll(JsonObject configuration)
    {
        foreach (var (name, scheme, protocols) in new[] { ("Http1", "http", "Http1"), ("Http2", "http", "Http2"), ("Tls", "https", "Http1AndHttp2") })
        {
            Set(configuration, $"Kestrel:Endpoints:{name}:Url", $"{scheme}://{AnyPort}");
            Set(configuration, $"Kestrel:Endpoints:{name}:Protocols", protocols);
        }
    }

    public static void Set(JsonObject configuration, string path, object value)
    {
        var keys = path.Split(':');
        var at = configuration;
        foreach (var key in keys[..^1])
        {
            at = (JsonObject)(at[key] ??= new JsonObject());
        }

        at[keys[^1]] = value is TimeSpan time ? JsonValue.Create(time.ToString("c")) : JsonSerializer.SerializeToNode(value);
    }

    public Uri AddressOf(Protocol protocol) => protocol.Of(_addresses);

    public HttpClient ClientOf(Protocol protocol) => _clients.GetOrAdd(protocol, static (protocol, gateway) => protocol.CreateClient(gateway.AddressOf(protocol)), this);

    /// <summary>Writes another configuration to the file, which is reloaded a moment later.</summary>
    public Task ReloadAsync(JsonObject configuration)
    {
        // The listeners stay.
        ListenForAll(configuration);
        return ReloadAsync(configuration.ToJsonString());
    }

    /// <summary>The same with arbitrary text.</summary>
    public Task ReloadAsync(string text) => File.WriteAllTextAsync(FileIn(_folder), text);

    /// <summary>Deletes the file.</summary>
    public void DeleteConfiguration() => File.Delete(FileIn(_folder));

    /// <summary>Ends a test: requires exactly one outcome, which is returned and was counted once, and that its resources are released.</summary>
    public async Task<Outcome> RequireOneOutcomeAsync()
    {
        var outcome = await Outcomes.NextAsync();
        Assert.Equal(0, Outcomes.Pending);
        RequireCounted();
        RequireNothingHeld();
        return outcome;
    }

    /// <summary>The same for an unknown number of outcomes.</summary>
    public async Task RequireNothingHeldSoonAsync()
    {
        await Eventually.TrueAsync(() => _meters["gateway.bundle.active"] == 0 && App.Services.GetRequiredService<BundlePermits>().Taken == 0, "all bundles have ended");
        await Eventually.TrueAsync(() => Outcomes.Seen == _meters["gateway.bundle.outcomes"], "each is logged");
        await Eventually.TrueAsync(() => App.Services.GetRequiredService<BundleMemory>().Leased == 0, "no memory is leased");
        RequireNothingHeld();
    }

    public async ValueTask DisposeAsync()
    {
        _abandoned.Unregister();
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }

        // Connections end with the clients; one that does not is held by something.
        await Eventually.TrueAsync(
            () => _meters["kestrel.active_connections"] == 0, "every client's connection is closed", describe: DescribeConnections);
        await App.StopAsync();
        RequireNothingHeld();
        RequireCounted();

        // Each request has had its outcome, and no second one later.
        Assert.Equal(_meters.Requests, Outcomes.Seen);
        Assert.DoesNotContain(Outcomes.Lines, OutcomeLog.IsRaw);
        _meters.Dispose();
        await App.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>A test that has timed out may never dispose of it: releases everything, so that it disturbs no other test.</summary>
    private async Task AbandonAsync()
    {
        await Task.WhenAny(App.StopAsync(new CancellationToken(canceled: true)));
        await App.DisposeAsync();
    }

    /// <summary>Both ends of every open connection to this gateway.</summary>
    private string DescribeConnections() => string.Join(
        ", ",
        IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
            .Where(connection => connection.State != TcpState.TimeWait && _addresses.Any(address => address.Port == connection.LocalEndPoint.Port || address.Port == connection.RemoteEndPoint.Port))
            .Select(connection => $"{connection.LocalEndPoint} to {connection.RemoteEndPoint} {connection.State}"));

    private static string FileIn(DirectoryInfo folder) => Path.Combine(folder.FullName, "gateway.json");

    /// <summary>Requires that the counters match the log lines exactly.</summary>
    private void RequireCounted()
    {
        Assert.Equal(Outcomes.All.GroupBy(outcome => outcome.Blame).ToDictionary(group => group.Key, group => group.LongCount()), _meters.Outcomes.ToDictionary());
        Assert.Equal(Outcomes.Seen, _meters["gateway.bundle.outcomes"]);
        Assert.Equal(Outcomes.All.Sum(outcome => outcome.BytesIn), _meters["gateway.bundle.upstream.bytes"]);
        Assert.Equal(Outcomes.All.Sum(outcome => outcome.BytesOut), _meters["gateway.bundle.client.bytes"]);
    }

    private void RequireNothingHeld()
    {
        Assert.Equal(0, _meters["gateway.bundle.active"]);
        Assert.Equal(0, App.Services.GetRequiredService<BundleMemory>().Leased);
        Assert.Equal(0, App.Services.GetRequiredService<BundlePermits>().Taken);
        Assert.All(
            App.Services.GetRequiredService<IProxyStateLookup>().GetClusters().SelectMany(cluster => cluster.Destinations.Values),
            destination => Assert.Equal(0, destination.ConcurrentRequestCount));
    }
}
