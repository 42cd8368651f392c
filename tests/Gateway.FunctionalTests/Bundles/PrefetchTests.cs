using Testing;

namespace Gateway.FunctionalTests.Bundles;

public class PrefetchTests
{
    [Theory]
    [InlineData("fail")]
    [InlineData("skip")]
    [InlineData("abort")]
    public async Task A_small_object_costs_one_request(string missing)
    {
        await using var upstream = new ScriptedUpstream();
        var ids = Put(upstream, 60, 10_000);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await Download.GetAsync(gateway.Client, $"/bundle?missing={missing}&ids={ids}")).RequireWhole();

        Assert.Equal(60, upstream.Requests.Count);
        Assert.All(upstream.Requests, request => Assert.Equal("GET", request.Method));
        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task Objects_beyond_the_lookahead_are_requested_with_HEAD_first()
    {
        await using var upstream = new ScriptedUpstream();
        var ids = Put(upstream, 200, 16 * 1024);
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:LookaheadBytes", 1 << 20)], upstream.Address);

        Assert.Equal(200, (await Download.GetAsync(gateway.Client, "/bundle?ids=" + ids)).RequireWhole().Count);

        var heads = upstream.Requests.Count(request => request.Method == "HEAD");
        Assert.InRange(heads, 200 - ((1 << 20) / (16 * 1024)) - 10, 199);
    }

    [Fact]
    public async Task After_large_objects_HEAD_is_used_and_no_body_is_opened_in_vain()
    {
        await using var upstream = new ScriptedUpstream();
        var ids = Put(upstream, 8, 1_000_000);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=" + ids)).RequireWhole();
        var before = upstream.Requests.Count;

        (await Download.GetAsync(gateway.Client, "/bundle?ids=" + ids)).RequireWhole();

        Assert.Equal(16, upstream.Requests.Count - before);
    }

    [Fact]
    public async Task Small_objects_are_opened_further_ahead_with_every_success()
    {
        await using var upstream = new ScriptedUpstream();
        var ids = Put(upstream, 300, 1000);
        for (var i = 40; i < 300; i++)
        {
            upstream.Fail($"/{i}", new Fault { After = -1, Ending = Ending.Stall });
        }

        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        using var stop = new CancellationTokenSource();
        var bundle = gateway.Client.GetAsync("/bundle?missing=abort&ids=" + ids, stop.Token);

        // 16 at first, and one more for each of the 40 that were received.
        await Eventually.TrueAsync(() => upstream.FaultsDelivered >= 55, "more than 16 are requested at once");
        Assert.InRange(await Eventually.StandsStillAsync(() => upstream.FaultsDelivered, TimeSpan.FromMilliseconds(200)), 55, 57);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bundle);
    }

    [Fact]
    public async Task A_missing_object_among_those_opened_together_is_reported_before_the_first_byte()
    {
        await using var upstream = new ScriptedUpstream();
        var ids = Put(upstream, 20, 1000);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await Download.GetAsync(gateway.Client, $"/bundle?ids={ids},s/nothing")).RequireEarly(404);

        Assert.Equal("Client/ObjectsMissing", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task A_stalled_client_costs_less_than_a_megabyte_of_storage_s_bytes()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?format=tar&ids=s/a");

        Assert.InRange(await Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromMilliseconds(500)), 1, 1 << 20);
    }

    [Fact]
    public async Task Bundles_without_memory_wait_and_then_run()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(100 << 20, 1, compressible: false));
        upstream.Put("/b", 10, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync([("Memory:MaxBytes", 16 << 20), ("Upstream:LookaheadBytes", 64 << 20)], upstream.Address);
        var first = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");

        // Each needs some 9 MiB, most of it for objects of unknown size, up to 4 MiB.
        var second = Download.GetAsync(gateway.Client, "/bundle?ids=s/b");
        await Task.WhenAny(second, Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromMilliseconds(300)));
        Assert.False(second.IsCompleted);
        await first.DisposeAsync();
        (await second).RequireWhole();
    }

    private static string Put(ScriptedUpstream upstream, int count, int size)
    {
        for (var i = 0; i < count; i++)
        {
            upstream.Put($"/{i}", size, seed: i);
        }

        return string.Join(',', Enumerable.Range(0, count).Select(i => $"s/{i}"));
    }
}
