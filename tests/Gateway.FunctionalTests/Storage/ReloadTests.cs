using System.Net;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>An invalid reload changes nothing, neither for bundles nor for proxied requests; the next valid one takes effect at once.</summary>
public sealed class ReloadTests : IAsyncDisposable
{
    private readonly ScriptedUpstream _upstream = new();

    public ReloadTests() => _upstream.Put("/a", 10, seed: 1);

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData("ReverseProxy:Routes:bad:Metadata:Bundle.Source", "s", "is already the source of route")]
    [InlineData("ReverseProxy:Routes:bad:Metadata:Bundle.Source", "a/b", "is not a source name")]
    [InlineData("ReverseProxy:Routes:bad:Metadata:Bundle.Sorce", "x", "unknown key")]
    [InlineData("ReverseProxy:Routes:bad:Metadata:Bundle.Internal", "yes", "neither true nor false")]
    [InlineData("ReverseProxy:Routes:bad:Metadata:Bundle.ForwardAuthorization", "yes", "neither true nor false")]
    [InlineData("ReverseProxy:Routes:bad:AuthorizationPolicy", "none-such", "none-such")]
    [InlineData("ReverseProxy:Clusters:s:Metadata:Bundle.ParallelRanges", "many", "is not a number from 1 to 32")]
    [InlineData("ReverseProxy:Clusters:s:Metadata:Bundle.Parallel", "2", "unknown key")]
    [InlineData("ReverseProxy:Clusters:s:Destinations:d1:Address", "file:no-such-folder/", "no-such-folder/' does not exist")]
    [InlineData("DefaultSource", "", "there is no source 'main'")]
    [InlineData("JSON", "", "The changed configuration file cannot be read")]
    [InlineData("GONE", "", "The changed configuration file cannot be read")]
    public async Task An_invalid_reload_changes_nothing(string key, string value, string fault)
    {
        await using var gateway = await GatewayUnderTest.StartAsync(Configuration());
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();

        // Other changes in the invalid file: one route is removed, another has a policy.
        var faulty = Configuration();
        faulty["ReverseProxy"]!["Routes"]!.AsObject().Remove("gone");
        GatewayUnderTest.Set(faulty, "ReverseProxy:Routes:s:AuthorizationPolicy", "default");
        GatewayUnderTest.Set(faulty, "ReverseProxy:Routes:bad:ClusterId", "s");
        GatewayUnderTest.Set(faulty, "ReverseProxy:Routes:bad:Match:Path", "/bad/{**key}");
        if (key == "DefaultSource")
        {
            GatewayUnderTest.Set(faulty, "ReverseProxy:Routes:main:Metadata:Bundle.Source", "renamed");
        }
        else if (key is not ("JSON" or "GONE"))
        {
            GatewayUnderTest.Set(faulty, key, value);
        }

        if (key == "GONE")
        {
            gateway.DeleteConfiguration();
        }
        else if (key == "JSON")
        {
            await gateway.ReloadAsync("{ not json");
        }
        else
        {
            await gateway.ReloadAsync(faulty);
        }

        await Eventually.TrueAsync(
            () => gateway.Outcomes.Lines.Any(line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains(fault, StringComparison.Ordinal)), "the error is logged");
        foreach (var source in new[] { "s", "gone", "main" })
        {
            Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync($"/{source}/a")).StatusCode);
            (await Download.GetAsync(gateway.Client, $"/bundle?ids={source}/a")).RequireWhole();
        }

        (await Download.GetAsync(gateway.Client, "/bundle?ids=a")).RequireWhole();
        (await Download.GetAsync(gateway.Client, "/bundle?ids=bad/a")).RequireEarly(404);

        var valid = Configuration();
        valid["ReverseProxy"]!["Routes"]!.AsObject().Remove("gone");
        GatewayUnderTest.Set(valid, "ReverseProxy:Routes:s:AuthorizationPolicy", "default");
        await gateway.ReloadAsync(valid);
        await Eventually.TrueAsync(async () => (await gateway.Client.GetAsync("/s/a")).StatusCode == HttpStatusCode.Unauthorized, "the valid file takes effect");
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(401);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=gone/a")).RequireEarly(404);
    }

    [Fact]
    public async Task Row_46_An_invalid_reload_changes_nothing_for_stalled_and_other_clients()
    {
        var crowd = Matrix.Of(full: 1000, reduced: 30);
        const int Size = 4_000_000;
        _upstream.Put("/large", Size, seed: 2, compressible: false);
        var configuration = Configuration();
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxActive", crowd + 10);
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", 0);
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        var stalled = new List<PausingClient>();
        foreach (var some in Enumerable.Range(0, crowd).Chunk(50))
        {
            stalled.AddRange(await Task.WhenAll(some.Select(_ => PausingClient.OpenAsync(gateway, Protocol.Http1, "/bundle?ids=s/large&format=tar&missing=abort"))));
        }

        // The invalid file also removes the source.
        var faulty = Configuration();
        faulty["ReverseProxy"]!["Routes"]!.AsObject().Remove("s");
        faulty["ReverseProxy"]!["Clusters"]!.AsObject().Remove("s");
        GatewayUnderTest.Set(faulty, "ReverseProxy:Routes:main:Metadata:Bundle.Internal", "yes");
        await gateway.ReloadAsync(faulty);
        await Eventually.TrueAsync(
            () => gateway.Outcomes.Lines.Any(line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("ReverseProxy:Routes:main:Metadata:Bundle.Internal", StringComparison.Ordinal)), "the error is logged with its path");

        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/s/a")).StatusCode);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
        foreach (var some in stalled.Chunk(50))
        {
            Assert.All(await Task.WhenAll(some.Select(async client => (await client.TakeRestAsync()).RequireWhole()["s/large"].Length)), size => Assert.Equal(Size, size));
            foreach (var client in some)
            {
                await client.DisposeAsync();
            }
        }
    }

    private JsonObject Configuration()
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]), ("gone", [_upstream.Address]), ("main", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:DefaultSource", "main");
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:me:Sha256", new string('0', 64));
        return configuration;
    }
}
