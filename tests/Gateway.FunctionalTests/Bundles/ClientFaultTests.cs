using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>Clients that disconnect, pause or read slowly: rows 22–26 of the fault table, and backpressure measured in bytes.</summary>
public class ClientFaultTests
{
    public static TheoryData<Protocol, string> OldClients => Ways.Each([Protocol.Http1, Protocol.Http1Tls], Ways.Recipes);

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_22_When_the_client_disconnects_the_connection_to_storage_is_closed_at_once(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?ids=s/a&{recipe}");
        await Eventually.TrueAsync(() => upstream.BodyBytes > 128 << 10, "the bundle is being sent");

        var left = TimeProvider.System.GetTimestamp();
        await client.DisposeAsync();
        await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "the connection to storage is closed");

        Assert.InRange(TimeProvider.System.GetElapsedTime(left, upstream.LastClosed).TotalMilliseconds, 0, 5000);
        Assert.Equal("Client/ClientGone", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.DoesNotContain(gateway.Outcomes.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_23_A_client_that_stops_reading_is_aborted_at_the_stall_timeout(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync([("Client:StallTimeout", TimeSpan.FromMilliseconds(500))], upstream.Address);
        await using var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?ids=s/a&{recipe}");

        var outcome = await gateway.RequireOneOutcomeAsync();

        Assert.Equal("Client/ClientStalled", outcome.Blame);
        Assert.InRange(outcome.ClientSeconds, 0.4, 10);
        Assert.True((await client.TakeRestAsync()).IsCut);
    }

    [Fact]
    public async Task When_a_client_stops_reading_storage_sends_no_more_than_the_buffers_hold()
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

        // Lookahead, blocks, and the kernel's buffers of each connection.
        Assert.InRange(taken, 1, (8 << 20) + (128 << 10) + (4 << 20));
    }

    [Theory]
    [InlineData(Protocol.Http1)]
    [InlineData(Protocol.Http2Tls)]
    public async Task Kernel_buffers_for_storage_stay_bounded_when_a_client_stops_at_full_speed(Protocol protocol)
    {
        var taken = Matrix.Of(full: 256, reduced: 64) << 20;

        // The kernel doubles each buffer's size: those of storage's socket (64 KiB), of the gateway's socket to it, and of the client (256 KiB
        // each). In addition there are one read (260 KiB) and unsent bytes (128 KiB).
        const int Held = (2 * (64 + 256 + 256) << 10) + (388 << 10);
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        await using var client = await PausingClient.OpenAsync(protocol, gateway.AddressOf(protocol), "/bundle?ids=s/a&format=tar", receiveBuffer: 256 * 1024);
        await client.TakeAsync(taken);

        Assert.InRange(await Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromSeconds(1)) - taken, 1, Held);
    }

    [Theory]
    [InlineData(Protocol.Http1)]
    [InlineData(Protocol.Http2)]
    [InlineData(Protocol.Http2Tls)]
    public async Task Row_24_With_stalled_clients_memory_stays_within_its_limit_and_a_healthy_client_gets_its_whole_archive(Protocol protocol)
    {
        if (protocol != Protocol.Http1)
        {
            Matrix.RequireFull();
        }

        // The benchmark "stalled" measures the speed of the healthy client; here other tests share the machine.
        // Each client may cost its share of 300 MiB for a thousand; a part of that does not depend on the number.
        var crowdSize = Matrix.Of(full: 1000, reduced: 50);
        var memoryBound = Matrix.Of(full: 300L << 20, reduced: 100L << 20);
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/large", new ObjectContent(1L << 30, 1));
        var body = upstream.Put("/a", 5_000_000, seed: 2);
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxActive", crowdSize + 1);
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", 0);
        await using var process = await GatewayProcess.StartAsync(configuration);
        (await Download.GetAsync(process.ClientOf(protocol), "/bundle?ids=s/a")).RequireWhole();
        process.Process.Refresh();
        var idle = process.Process.WorkingSet64;

        // Over HTTP/2 as many connections as the server's limit on streams requires.
        using var crowd = protocol.CreateClient(process.AddressOf(protocol), new SocketsHttpHandler { EnableMultipleHttp2Connections = true, MaxResponseDrainSize = 0 });
        var stalled = new List<HttpResponseMessage>();
        foreach (var some in Enumerable.Range(0, crowdSize).Chunk(50))
        {
            stalled.AddRange(await Task.WhenAll(some.Select(_ => crowd.GetAsync("/bundle?ids=s/large&missing=abort", HttpCompletionOption.ResponseHeadersRead))));
        }

        Assert.All(stalled, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        await Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromMilliseconds(500));

        process.Process.Refresh();
        Assert.InRange(process.Process.WorkingSet64 - idle, 0, memoryBound);
        Assert.Equal(HttpStatusCode.OK, (await process.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(body, (await Download.GetAsync(process.ClientOf(protocol), "/bundle?ids=s/a")).RequireWhole()["s/a"]);
        stalled.ForEach(response => response.Dispose());
    }

    [Theory]
    [MemberData(nameof(Ways.Slow), MemberType = typeof(Ways))]
    public async Task Row_25_A_slow_client_gets_everything(Protocol protocol)
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(2 << 20, 1, compressible: false);
        upstream.Put("/a", content);
        await using var gateway = await GatewayUnderTest.StartAsync([("Client:StallTimeout", TimeSpan.FromSeconds(4))], upstream.Address);

        // Each download takes longer than the timeout, but no single block does.
        var downloads = await Task.WhenAll(Ways.Recipes.Select(async recipe =>
        {
            await using var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?ids=s/a&{recipe}");
            return await client.TakeRestAsync(async _ => await Pace.WaitAsync(TimeSpan.FromMilliseconds(40)), step: 16 * 1024);
        }));

        Assert.All(downloads, download => Assert.Equal(content.Hash(), Download.Hash(download.RequireWhole()["s/a"])));
    }

    [Theory]
    [MemberData(nameof(OldClients))]
    public async Task Row_26_Over_HTTP_1_0_an_archive_of_known_length_is_sent_and_any_other_is_505(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        var url = new Uri(gateway.AddressOf(protocol), $"/bundle?ids=s/a&{recipe}").ToString();
        var curl = await Tool.RunAsync("curl", ["-sk", "--no-alpn", "--http1.0", "-w", "\n%{http_code} %header{content-length} %{size_download}", url]);

        if (recipe.Contains("store", StringComparison.Ordinal) || recipe == "format=tar")
        {
            var whole = await Download.GetAsync(gateway.Client, $"/bundle?ids=s/a&{recipe}");
            Assert.EndsWith($"\n200 {whole.Bytes.Length} {whole.Bytes.Length}", curl.Output, StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains("\n505 ", curl.Output, StringComparison.Ordinal);
            Assert.Contains("proxy_http_version 1.1", curl.Output, StringComparison.Ordinal);
        }

        var head = await Tool.RunAsync("curl", ["-skI", "--no-alpn", "--http1.0", "-o", "/dev/null", "-w", "%{http_code}", url]);
        Assert.Equal("200", head.Output);
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

    [Fact]
    public async Task A_client_that_half_closes_gets_a_visible_abort()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(3_000_000, 1, compressible: false));
        upstream.Fail("/a", new Fault { After = 1_000_000, Ending = Ending.Stall });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync("GET /bundle?ids=s/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
        client.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);

        using var answer = new MemoryStream();
        try
        {
            await stream.CopyToAsync(answer);
        }
        catch (IOException)
        {
            // Reset.
        }

        Assert.Equal("Client/ClientGone", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.False(answer.ToArray().AsSpan().EndsWith("\r\n0\r\n\r\n"u8));
    }
}
