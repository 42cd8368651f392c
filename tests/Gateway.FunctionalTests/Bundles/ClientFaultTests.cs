using System.Diagnostics;
using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>Clients that leave, pause or crawl: rows 22–26 of the fault table, and backpressure by counting.</summary>
public class ClientFaultTests
{
    [Fact]
    public async Task Row_22_When_the_client_leaves_storage_is_left_at_once()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");
        await Eventually.TrueAsync(() => upstream.BodyBytes > 128 << 10, "the bundle is on its way");

        var left = Stopwatch.GetTimestamp();
        await client.DisposeAsync();
        await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "storage is left");

        Assert.InRange(Stopwatch.GetElapsedTime(left, upstream.LastClosed).TotalMilliseconds, 0, 2000);
        Assert.Equal("Client/Gone", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.DoesNotContain(gateway.Outcomes.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Row_23_A_client_that_stops_reading_is_aborted_at_the_stall_time_out()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync([("Client:StallTimeout", TimeSpan.FromMilliseconds(500))], upstream.Address);
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");

        var outcome = await gateway.RequireOneOutcomeAsync();

        Assert.Equal("Client/Stall", outcome.Blame);
        Assert.InRange(outcome.ClientSeconds, 0.4, 10);
        Assert.True((await client.TakeRestAsync()).IsCut);
    }

    [Fact]
    public async Task With_a_client_that_stops_reading_storage_stands_still_within_what_the_buffers_hold()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        for (var i = 0; i < 40; i++)
        {
            upstream.Put($"/{i}", 200_000, seed: i, compressible: false);
        }

        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/0,s/1,s/a," + string.Join(',', Enumerable.Range(2, 38).Select(i => $"s/{i}")));

        var taken = await Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromSeconds(1));

        // Look-ahead, one block, and the kernel's buffers on both sides, which grow to 6 MiB each by themselves.
        Assert.InRange(taken, 1, (8 << 20) + (128 << 10) + (12 << 20));
    }

    [Fact]
    public async Task Row_25_A_slow_client_gets_everything()
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(2 << 20, 1, compressible: false);
        upstream.Put("/a", content);
        await using var gateway = await GatewayUnderTest.StartAsync([("Client:StallTimeout", TimeSpan.FromSeconds(2))], upstream.Address);
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));

        var entries = (await client.TakeRestAsync(async _ => await pace.WaitForNextTickAsync(), step: 16 * 1024)).RequireWhole();

        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
    }

    [Fact]
    public async Task Row_26_HTTP_1_0_is_refused_because_a_cut_could_not_be_told()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        var curl = await Tool.RunAsync("curl", ["-s", "--http1.0", "-w", "\n%{http_code}", new Uri(gateway.Address, "/bundle?ids=s/a").ToString()]);

        Assert.EndsWith("\n505", curl.Output, StringComparison.Ordinal);
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task A_cut_is_seen_by_curl_and_wget_and_python()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(3_000_000, 1, compressible: false), etag: null);
        upstream.Fail("/a", Fault.Close(2_000_000) with { Times = 3 });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        var url = new Uri(gateway.Address, "/bundle?ids=s/a").ToString();

        Assert.Contains((await Tool.RunAsync("curl", ["-s", "-o", "/dev/null", url])).ExitCode, (int[])[18, 56]);
        Assert.NotEqual(0, (await Tool.RunAsync("wget", ["-q", "-t", "1", "-O", "/dev/null", url])).ExitCode);
        var python = await Tool.RunAsync("python3", ["-c", "import sys,urllib.request\ntry:\n  urllib.request.urlopen(sys.argv[1]).read(); print('whole')\nexcept Exception as e: print('cut')", url]);
        Assert.Equal("cut\n", python.Output);
        Assert.Equal(3, upstream.FaultsDelivered);
    }
}
