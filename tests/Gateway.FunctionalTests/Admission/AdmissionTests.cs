using Testing;

namespace Gateway.FunctionalTests.Admission;

public class AdmissionTests
{
    [Fact]
    public async Task More_bundles_than_may_run_and_wait_are_503_with_Retry_After_and_make_the_replica_unready()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(100 << 20, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync([("Limits:MaxActive", 1), ("Limits:MaxQueued", 0)], upstream.Address);
        await using (await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a"))
        {
            var refused = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

            refused.RequireEarly(503);
            Assert.NotNull(refused.Response.Headers.RetryAfter);
            Assert.Equal(503, (int)(await gateway.Client.GetAsync("/health/ready")).StatusCode);
            Assert.Equal(200, (int)(await gateway.Client.GetAsync("/health/live")).StatusCode);
            Assert.Equal(200, (int)(await gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/bundle?ids=s/a"))).StatusCode);
            Assert.Equal(200, (int)(await gateway.Client.GetAsync("/bundle/plan?ids=s/a")).StatusCode);
            using var known = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/a");
            known.Headers.IfNoneMatch.Add(System.Net.Http.Headers.EntityTagHeaderValue.Any);
            Assert.Equal(304, (int)(await gateway.Client.SendAsync(known)).StatusCode);
            using var unknown = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/a");
            unknown.Headers.IfNoneMatch.Add(new("\"another\""));
            (await Download.SendAsync(gateway.Client, unknown)).RequireEarly(503);
        }

        await Eventually.TrueAsync(async () => (await gateway.Client.GetAsync("/health/ready")).IsSuccessStatusCode, "ready again");
    }

    [Theory]
    [MemberData(nameof(Ways.Slow), MemberType = typeof(Ways))]
    public async Task Row_31_At_ten_times_the_limit_admitted_bundles_are_complete_and_the_others_are_rejected(Protocol protocol)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(Matrix.Of(full: 20, reduced: 8) << 20, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync([("Limits:MaxActive", 4), ("Limits:MaxQueued", 0)], upstream.Address);
        var admitted = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PausingClient.OpenAsync(gateway, protocol, "/bundle?ids=s/a&format=tar")));

        var refused = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a&format=tar")));

        Assert.All(refused, download => download.RequireEarly(503));
        Assert.All(refused, download => Assert.NotNull(download.Response.Headers.RetryAfter));
        foreach (var client in admitted)
        {
            Assert.Single((await client.TakeRestAsync()).RequireWhole());
            await client.DisposeAsync();
        }

        await Eventually.TrueAsync(async () => (await gateway.Client.GetAsync("/health/ready")).IsSuccessStatusCode, "ready again");
    }

    [Fact]
    public async Task A_waiting_bundle_is_eventually_admitted()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(100 << 20, 1, compressible: false));
        upstream.Put("/b", 10, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync([("Limits:MaxActive", 1), ("Limits:MaxQueued", 1)], upstream.Address);
        var first = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");

        // One of the two finds the queue free and waits in it; the other is rejected, which proves that the first is waiting.
        Task<Download>[] two = [Download.GetAsync(gateway.Client, "/bundle?ids=s/b"), Download.GetAsync(gateway.Client, "/bundle?ids=s/b")];
        var refused = await Task.WhenAny(two);
        (await refused).RequireEarly(503);
        Assert.Equal(1, gateway.Queued);
        await first.DisposeAsync();

        (await two.Single(one => one != refused)).RequireWhole();
        Assert.Equal(0, gateway.Queued);
    }

    [Fact]
    public async Task More_bundles_than_one_client_may_run_are_429()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(100 << 20, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync([("Limits:MaxPerClient", 1)], upstream.Address);
        await using var first = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");

        var refused = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");
        refused.RequireEarly(429);
        Assert.NotNull(refused.Response.Headers.RetryAfter);
    }
}
