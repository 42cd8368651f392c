using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Storage that serves only so many requests at a time, or per second, and rejects the rest.</summary>
public class ThrottleTests
{
    private const int Objects = 300;

    public static TheoryData<int, int, string, string?> Limits
    {
        get
        {
            var rows = new TheoryData<int, int, string, string?>();
            foreach (var limit in new[] { 1, 2, 4, 8, 32 })
            {
                foreach (var missing in new[] { "fail", "skip", "abort" })
                {
                    rows.Add(limit, limit % 3 == 2 ? 503 : 429, missing, limit == 4 || missing == "skip" ? "1" : null);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Limits))]
    public async Task Row_36_Storage_that_serves_few_requests_at_a_time_serves_a_bundle(int limit, int status, string missing, string? retryAfter)
    {
        var objects = limit == 1 ? 60 : Objects;
        var latency = TimeSpan.FromMilliseconds(Matrix.Of(full: 50, reduced: 10));
        await using var upstream = Storage(objects, new Throttle(status, retryAfter) { MaxAtOnce = limit, Latency = latency });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        Assert.Equal(objects, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(objects)}&missing={missing}")).RequireWhole().Count);
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);

        // By now the limit has been determined.
        var (before, started) = (upstream.Refused, TimeProvider.System.GetTimestamp());
        Assert.Equal(objects, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(objects)}&missing={missing}")).RequireWhole().Count);
        var outcome = await gateway.RequireOneOutcomeAsync();
        TestContext.Current.SendDiagnosticMessage(
            "limit {0} {1} {2}: {3:0.00} s of {4:0.00}, refused {5} and then {7} of {8}, retries {6}",
            limit, missing, retryAfter ?? "", TimeProvider.System.GetElapsedTime(started).TotalSeconds, objects * latency.TotalSeconds / limit, before, outcome.Retries, upstream.Refused - before, objects);
        Assert.InRange(upstream.Refused - before, 0, objects / 5);
        Assert.Equal("None/None", outcome.Blame);
    }

    [Theory]
    [InlineData(8, 503, null)]
    [InlineData(8, 503, "1")]
    [InlineData(1, 503, null)]
    [InlineData(2, 429, "1")]
    [InlineData(4, 429, null)]
    [InlineData(32, 503, null)]
    public async Task Row_36_Eight_bundles_at_once_share_the_limit(int limit, int status, string? retryAfter)
    {
        await using var upstream = Storage(100, new Throttle(status, retryAfter) { MaxAtOnce = limit, Latency = TimeSpan.FromMilliseconds(10) });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        var downloads = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(100)}&missing={new[] { "fail", "skip", "abort" }[i % 3]}")));

        Assert.All(downloads, download => Assert.Equal(100, download.RequireWhole().Count));
        TestContext.Current.SendDiagnosticMessage("8 bundles, limit {0} {1}: refused {2}", limit, retryAfter ?? "", upstream.Refused);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("1")]
    public async Task Row_36_Storage_that_serves_100_requests_a_second_serves_a_bundle(string? retryAfter)
    {
        await using var upstream = Storage(Objects, new Throttle(429, retryAfter) { MaxPerSecond = 100 });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        var started = TimeProvider.System.GetTimestamp();

        Assert.Equal(Objects, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(Objects)}")).RequireWhole().Count);

        TestContext.Current.SendDiagnosticMessage("100/s {0}: {1:0.00} s, refused {2}", retryAfter ?? "", TimeProvider.System.GetElapsedTime(started).TotalSeconds, upstream.Refused);
    }

    [Theory]
    [InlineData("fail")]
    [InlineData("abort")]
    public async Task Row_36_An_object_that_breaks_while_the_next_one_is_open_is_not_a_deadlock_at_one_request_at_a_time(string missing)
    {
        await using var upstream = new ScriptedUpstream { Throttle = new Throttle(503, null) { MaxAtOnce = 1 } };
        for (var i = 0; i < 4; i++)
        {
            upstream.Put($"/{i}", 3_000_000, seed: i);
            upstream.Fail($"/{i}", Fault.Close(1_500_000));
        }

        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        Assert.Equal(4, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(4)}&missing={missing}")).RequireWhole().Count);
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("/bundle?ids=s/bad&missing=abort")]
    [InlineData("/s/bad")]
    public async Task An_object_that_is_always_rejected_does_not_slow_down_the_others(string bad)
    {
        await using var upstream = Storage(100, new Throttle(503, null) { Latency = TimeSpan.FromMilliseconds(1) });
        upstream.Fail("/bad", Fault.Answer(503) with { Times = 10_000 });
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], upstream.Address);
        for (var i = 0; i < 10; i++)
        {
            await Download.GetAsync(gateway.Client, bad);
        }

        Assert.Equal(100, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(100)}")).RequireWhole().Count);
        Assert.InRange(upstream.MaxAtOnce, 8, 200);
    }

    [Fact]
    public async Task Row_36_Paused_clients_block_no_other_request()
    {
        const int Large = 8_000_000;
        var paused = Matrix.Of(full: 100, reduced: 20);
        await using var upstream = new ScriptedUpstream { Throttle = new Throttle(503, null) { MaxAtOnce = 8 } };
        upstream.Put("/large", Large, seed: 1, compressible: false);
        for (var i = 0; i < 50; i++)
        {
            upstream.Put($"/{i}", 1000, seed: i + 2);
        }

        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:ReleaseAfter", "00:00:00.2"), ("Limits:MaxActive", 200), ("Limits:MaxPerClient", 200)], upstream.Address);
        var clients = await Task.WhenAll(Enumerable.Range(0, paused).Select(_ => PausingClient.OpenAsync(gateway, Protocol.Http1, "/bundle?ids=s/large&format=tar&missing=abort")));
        Assert.All(clients, client => Assert.Equal(200, (int)client.Response.StatusCode));

        Assert.Equal(50, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(50)}")).RequireWhole().Count);
        Assert.Equal("None/None", (await gateway.Outcomes.NextAsync()).Blame);

        // When they continue, each gets a slot.
        var sizes = await Task.WhenAll(clients.Select(async client => (await client.TakeRestAsync()).RequireWhole()["s/large"].Length));
        Assert.All(sizes, size => Assert.Equal(Large, size));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
            Assert.Equal("None/None", (await gateway.Outcomes.NextAsync()).Blame);
        }
    }

    [Fact]
    public async Task Timeouts_lower_the_limit_and_the_limit_is_a_metric()
    {
        await using var upstream = Storage(200, new Throttle(503, null) { MaxAtOnce = 1000 });
        for (var i = 0; i < 100; i++)
        {
            upstream.Fail($"/{i}", new Fault { After = -1, Ending = Ending.Stall, Times = 3 });
        }

        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:FirstByteTimeout", "00:00:00.5")], upstream.Address);
        Assert.Empty(Limits());

        await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(100)}");

        Assert.Equal("Upstream/ResponseTimeout", (await gateway.RequireOneOutcomeAsync()).Blame);
        var (name, value) = Assert.Single(Limits());
        Assert.Equal("gateway.upstream.concurrency_limit source=s destination=d0", name);
        Assert.InRange(value, 1, 64);

        KeyValuePair<string, double>[] Limits() => [.. gateway.ReadGauges().Where(gauge => gauge.Key.StartsWith("gateway.upstream.concurrency_limit", StringComparison.Ordinal))];
    }

    [Fact]
    public async Task A_fixed_limit_is_never_exceeded()
    {
        await using var upstream = Storage(100, new Throttle(503, null) { MaxAtOnce = 1000, Latency = TimeSpan.FromMilliseconds(5) });
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:Metadata:Bundle.Concurrency", "5");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Equal(100, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(100)}")).RequireWhole().Count);

        Assert.InRange(upstream.MaxAtOnce, 2, 5);
    }

    private static string Ids(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"s/{i}"));

    private static ScriptedUpstream Storage(int objects, Throttle throttle)
    {
        var upstream = new ScriptedUpstream { Throttle = throttle };
        for (var i = 0; i < objects; i++)
        {
            upstream.Put($"/{i}", 1000, seed: i + 1);
        }

        return upstream;
    }
}
