using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Gateway.FunctionalTests.Storage;

/// <summary>The operator's configuration of YARP's routes and clusters applies to bundles.</summary>
public class SourceTests
{
    [Fact]
    public async Task A_bundle_reads_what_a_single_GET_through_the_proxy_reads()
    {
        using var storage = WireMockServer.Start();
        storage.Given(Request.Create().WithPath("/bucket/deep/a b.txt").WithHeader("X-Api-Key", "k1").WithParam("v", "2"))
            .RespondWith(Response.Create().WithBody("the object").WithHeader("ETag", "\"e\""));
        var configuration = GatewayUnderTest.Configuration(("s", [storage.Url + "/bucket/"]));
        configuration["ReverseProxy"]!["Routes"]!["s"]!["Transforms"]!.AsArray().Add(new JsonObject { ["RequestHeader"] = "X-Api-Key", ["Set"] = "k1" });
        configuration["ReverseProxy"]!["Routes"]!["s"]!["Transforms"]!.AsArray().Add(new JsonObject { ["QueryValueParameter"] = "v", ["Set"] = "2" });
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var single = await gateway.Client.GetStringAsync("/s/deep/a%20b.txt");
        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/deep/a%20b.txt")).RequireWhole();

        Assert.Equal("the object", single);
        Assert.Equal(single, System.Text.Encoding.UTF8.GetString(entries["s/deep/a b.txt"]));
    }

    [Fact]
    public async Task A_failed_attempt_is_retried_on_another_destination_at_once()
    {
        using var closed = new ClosedPort();
        await using var upstream = new ScriptedUpstream();
        var bodies = Enumerable.Range(0, 20).Select(i => upstream.Put($"/{i}", 1000 + i, seed: i)).ToArray();
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Configuration(("s", [closed.Address, upstream.Address])));

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=" + string.Join(',', bodies.Select((_, i) => $"s/{i}")))).RequireWhole();

        Assert.Equal(bodies, entries.Values);
        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task A_broken_body_is_continued_on_another_destination_with_the_same_version()
    {
        await using var first = new ScriptedUpstream();
        await using var second = new ScriptedUpstream();
        var body = first.Put("/a", 2_000_000, seed: 1);
        second.Put("/a", 2_000_000, seed: 1);
        foreach (var upstream in new[] { first, second })
        {
            // Whichever destination is used first breaks, and is dead from then on.
            upstream.Fail("/a", Fault.Close(1_000_000), new Fault { After = -1, Ending = Ending.Close, Times = 50 });
        }

        second.Fail("/b", Fault.Answer(404));
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Configuration(("s", [first.Address, second.Address])));

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();

        Assert.Equal(Download.Hash(body), Download.Hash(entries["s/a"]));
    }

    [Fact]
    public async Task Passive_health_counts_broken_bodies()
    {
        await using var bad = new ScriptedUpstream();
        for (var i = 0; i < 20; i++)
        {
            bad.Put($"/{i}", 1_000_000, seed: 1);
            bad.Fail($"/{i}", Fault.Reset(500_000) with { Times = 1000 });
        }

        var configuration = GatewayUnderTest.Configuration(("s", [bad.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Enabled", true);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Policy", "TransportFailureRate");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:AvailableDestinationsPolicy", "HealthyAndUnknown");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        gateway.App.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("s", out var cluster);

        for (var i = 0; i < 20 && cluster!.Destinations["d0"].Health.Passive != DestinationHealth.Unhealthy; i++)
        {
            await Download.GetAsync(gateway.Client, $"/bundle?ids=s/{i}&missing=abort");
        }

        Assert.Equal(DestinationHealth.Unhealthy, cluster!.Destinations["d0"].Health.Passive);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/0")).RequireEarly(503);
    }

    [Fact]
    public async Task A_destination_that_passive_health_removes_during_an_attempt_does_not_hide_the_others()
    {
        await using var hanging = new ScriptedUpstream();
        await using var healthy = new ScriptedUpstream();
        for (var i = 0; i < 40; i++)
        {
            healthy.Put($"/{i}", 1000, seed: i);
            hanging.Put($"/{i}", 1000, seed: i);
            hanging.Fail($"/{i}", new Fault { After = -1, Ending = Ending.Stall, Times = 10 });
        }

        var configuration = GatewayUnderTest.Configuration(("s", [hanging.Address, healthy.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Enabled", true);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Policy", "TransportFailureRate");
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:FirstByteTimeout", TimeSpan.FromMilliseconds(300));
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=" + string.Join(',', Enumerable.Range(0, 40).Select(i => $"s/{i}")));

        // The hanging destination still serves one GET, so either one has all objects.
        Assert.Equal(40, download.RequireWhole().Count);
    }

    [Fact]
    public async Task A_destination_that_active_health_has_found_dead_is_not_tried()
    {
        await using var dead = new ScriptedUpstream();
        await using var alive = new ScriptedUpstream();
        alive.Put("/probe", 10, seed: 1);
        alive.Put("/a", 1000, seed: 2);
        var configuration = GatewayUnderTest.Configuration(("s", [dead.Address, alive.Address]));
        foreach (var (key, value) in new[] { ("Enabled", (object)true), ("Interval", "00:00:00.2"), ("Timeout", "00:00:05"), ("Policy", "ConsecutiveFailures"), ("Path", "/probe") })
        {
            GatewayUnderTest.Set(configuration, $"ReverseProxy:Clusters:s:HealthCheck:Active:{key}", value);
        }

        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        gateway.App.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("s", out var cluster);
        await Eventually.TrueAsync(
            () => cluster!.DestinationsState.AvailableDestinations is [{ DestinationId: "d1", Health.Active: DestinationHealth.Healthy }], "only the living destination is available");

        for (var i = 0; i < 10; i++)
        {
            (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
        }

        Assert.DoesNotContain(dead.Requests, request => request.Path == "/a");
    }

    [Fact]
    public async Task A_pausing_client_does_not_take_a_destination_out_of_rotation()
    {
        Matrix.RequireFull();
        await using var upstream = new ScriptedUpstream { SendTimeout = TimeSpan.FromSeconds(1.5), SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(16 << 20, 1, compressible: false));
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Enabled", true);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Policy", "TransportFailureRate");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:AvailableDestinationsPolicy", "HealthyAndUnknown");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        var clients = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a&format=tar")));

        await Eventually.TrueAsync(() => upstream.FaultsDelivered >= clients.Length, "storage has dropped all paused connections");
        var downloads = await Task.WhenAll(clients.Select(client => client.TakeRestAsync()));
        Assert.All(downloads, download => download.RequireWhole());
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
    }

    [Fact]
    public async Task Another_spelling_of_true_in_a_reload_does_not_open_an_internal_route()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 10, seed: 1);
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]), ("t", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.Internal", "true");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.Internal", "TRUE");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:t:Match:Path", "/moved/{**key}");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:t:Metadata:Bundle.Internal", "false");

        await gateway.ReloadAsync(configuration);
        await Eventually.TrueAsync(async () => (await gateway.Client.GetAsync("/t/a")).StatusCode == HttpStatusCode.NotFound, "the reload");

        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/s/a")).StatusCode);
    }

    [Fact]
    public async Task YARP_counts_an_object_in_flight_until_its_last_byte_is_read()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(100 << 20, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        gateway.App.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("s", out var cluster);
        await using (var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a"))
        {
            await Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromMilliseconds(300));
            Assert.Equal(1, cluster!.Destinations["d0"].ConcurrentRequestCount);
        }

        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task An_internal_route_is_for_bundles_only()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 10, seed: 1);
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.Internal", "true");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/s/a")).StatusCode);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
    }

    [Fact]
    public async Task A_route_with_a_timeout_serves_bundles_with_their_own_timeouts()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 10, seed: 1);
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Timeout", "00:00:01");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("guest", 403)]
    [InlineData("reader", 200)]
    public async Task The_policy_of_a_source_s_route_applies_to_bundles(string? role, int status)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 10, seed: 1);
        var configuration = GatewayUnderTest.Configuration(("open", [upstream.Address]), ("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:AuthorizationPolicy", "readers");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration, builder =>
        {
            builder.Services.AddAuthentication("role").AddScheme<AuthenticationSchemeOptions, RoleHeader>("role", null);
            builder.Services.AddAuthorizationBuilder().AddPolicy("readers", policy => policy.RequireRole("reader"));
        });
        foreach (var url in new[] { "/s/a", "/bundle?ids=open/a,s/a" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Add("Role", role is null ? [] : [role]);
            using var response = await gateway.Client.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal(status == 401, response.Headers.Contains("WWW-Authenticate"));
        }

        Assert.Equal(status == 200, upstream.Requests.Count > 0);
    }

    [Theory]
    [MemberData(nameof(Ways.Slow), MemberType = typeof(Ways))]
    public async Task Row_32_A_reload_that_removes_the_source_lets_running_bundles_finish_and_rejects_new_ones(Protocol protocol)
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(24 << 20, 1, compressible: false);
        upstream.Put("/a", content);
        var later = upstream.Put("/b", 100, seed: 2);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        await using var client = await PausingClient.OpenAsync(gateway, protocol, "/bundle?ids=s/a,s/b");

        await gateway.ReloadAsync(GatewayUnderTest.Configuration(("other", [upstream.Address])));
        var proxy = gateway.App.Services.GetRequiredService<IProxyStateLookup>();
        await Eventually.TrueAsync(() => proxy.TryGetCluster("other", out _) && !proxy.TryGetCluster("s", out _), "the reload");

        await Eventually.TrueAsync(async () => (await gateway.Client.GetAsync("/bundle?ids=s/b")).StatusCode == HttpStatusCode.BadRequest, "new bundles are rejected");
        (await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=other/b")).RequireWhole();
        var entries = (await client.TakeRestAsync()).RequireWhole();
        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
        Assert.Equal(later, entries["s/b"]);
    }

    [Fact]
    public async Task Everything_else_is_proxied_as_usual()
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", 100_000, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        using var range = new HttpRequestMessage(HttpMethod.Get, "/s/a");
        range.Headers.Range = new(10, null);

        Assert.Equal(body, await gateway.Client.GetByteArrayAsync("/s/a"));
        Assert.Equal(HttpStatusCode.PartialContent, (await gateway.Client.SendAsync(range)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/s/none")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/elsewhere")).StatusCode);
    }
}
