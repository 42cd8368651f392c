using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;
using Yarp.ReverseProxy;

namespace Testing;

/// <summary>The whole gateway on a real port, configured by a file as an operator would.</summary>
internal sealed class GatewayUnderTest : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;

    private GatewayUnderTest(WebApplication app, DirectoryInfo folder, OutcomeLog outcomes)
    {
        App = app;
        _folder = folder;
        Outcomes = outcomes;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(5) };
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    /// <summary>Everything it listens on.</summary>
    public IReadOnlyCollection<string> Addresses => [.. App.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];

    public HttpClient Client { get; }

    /// <summary>The line that each bundle leaves.</summary>
    public OutcomeLog Outcomes { get; }

    public string ConfigurationFile => Path.Combine(_folder.FullName, "gateway.json");

    /// <summary>A gateway with one source <c>s</c> for each address that is given: s, s2, s3 …</summary>
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

    public static async Task<GatewayUnderTest> StartAsync(JsonObject configuration, Action<WebApplicationBuilder>? extend = null, string urls = "http://127.0.0.1:0")
    {
        var folder = Directory.CreateTempSubdirectory("gateway-test-");
        var outcomes = new OutcomeLog();
        try
        {
            var file = Path.Combine(folder.FullName, "gateway.json");
            await File.WriteAllTextAsync(file, configuration.ToJsonString());
            var app = GatewayHost.Build(file, urls, builder =>
            {
                builder.Logging.ClearProviders().AddProvider(outcomes).AddFilter(typeof(OutcomeLog).FullName, LogLevel.Debug);
                extend?.Invoke(builder);
            });
            await app.StartAsync();
            return new GatewayUnderTest(app, folder, outcomes);
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

    /// <summary>Ends a test: exactly one outcome, which is returned, and YARP's counters back to nothing in flight.</summary>
    public async Task<Outcome> RequireOneOutcomeAsync()
    {
        var outcome = await Outcomes.NextAsync();
        Assert.Equal(0, Outcomes.Pending);
        Assert.All(
            App.Services.GetRequiredService<IProxyStateLookup>().GetClusters().SelectMany(cluster => cluster.Destinations.Values),
            destination => Assert.Equal(0, destination.ConcurrentRequestCount));
        return outcome;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
