using System.Net;
using System.Net.Sockets;
using Testing;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Storage that never starts to send the object: rows 1–8, 15 and 19 of the fault table.</summary>
public class OpenFaultTests
{
    private static readonly (string, object)[] Quick =
    [
        ("Upstream:FirstByteTimeout", TimeSpan.FromMilliseconds(400)),
        ("Upstream:StallTimeout", TimeSpan.FromMilliseconds(400)),
    ];

    public static TheoryData<Protocol, int> Denials => Ways.Pairs(Ways.Protocols, [401, 403]);

    public static TheoryData<Protocol, string, string> Encoded => Ways.With("fail", "abort");

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_1_A_refused_connection_is_502_soon_after_the_attempts(Protocol protocol)
    {
        using var closed = new ClosedPort();
        await using var gateway = await GatewayUnderTest.StartAsync(closed.Address);
        var started = TimeProvider.System.GetTimestamp();

        var download = await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a");

        download.RequireEarly(502);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 10);
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("Upstream/ConnectionRefused", 3), (outcome.Blame, outcome.Retries));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_1_If_nothing_is_checked_first_a_refused_connection_aborts(Protocol protocol, string recipe)
    {
        using var closed = new ClosedPort();
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 2)], closed.Address);

        (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&missing=abort&{recipe}")).RequireCut();

        Assert.Equal(("Upstream/ConnectionRefused", 1), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_2_A_connection_that_is_never_accepted_is_504_at_the_timeout(Protocol protocol)
    {
        // A listener whose backlog is full drops further connection attempts.
        using var full = new Socket(SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var fillers = new List<Socket>();
        for (var i = 0; i < 4; i++)
        {
            var filler = new Socket(SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _ = filler.ConnectAsync(full.LocalEndPoint!).ContinueWith(connect => connect.Exception, TaskScheduler.Default);
            fillers.Add(filler);
        }

        await using var gateway = await GatewayUnderTest.StartAsync(Quick, $"http://{full.LocalEndPoint}/");
        var started = TimeProvider.System.GetTimestamp();

        var download = await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a");

        download.RequireEarly(504);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0.1, 5);
        Assert.Equal(("Upstream/ConnectTimeout", 0), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.EntryIndex) : default);
        fillers.ForEach(filler => filler.Dispose());
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_3_Headers_that_never_arrive_are_504_at_the_timeout(Protocol protocol)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, seed: 1);
        upstream.Put("/0", 100, seed: 2);
        upstream.Fail("/a", new Fault { After = -1, Ending = Ending.Stall, Times = 2 });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);
        var started = TimeProvider.System.GetTimestamp();

        var download = await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/0,s/a");

        download.RequireEarly(504);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0.2, 5);
        Assert.Equal(("Upstream/ResponseTimeout", 1), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.EntryIndex) : default);

        // Once more on a new connection.
        Assert.Equal(2, upstream.FaultsDelivered);
    }

    [Theory]
    [InlineData("fail")]
    [InlineData("abort")]
    public async Task A_request_that_is_lost_once_is_sent_again(string missing)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", 100, seed: 1);
        upstream.Fail("/a", new Fault { After = -1, Ending = Ending.Stall });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=" + missing)).RequireWhole()["s/a"]);
        Assert.Equal(("None/None", 0), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_4_Two_500s_and_then_the_object_are_a_whole_bundle(Protocol protocol, string recipe)
    {
        using var storage = WireMockServer.Start();
        foreach (var (state, next) in new[] { (null, "two"), ("two", "three") })
        {
            var given = storage.Given(Request.Create().WithPath("/a").UsingGet()).InScenario("a");
            (state is null ? given : given.WhenStateIs(state)).WillSetStateTo(next).RespondWith(Response.Create().WithStatusCode(500));
        }

        storage.Given(Request.Create().WithPath("/a").UsingGet()).InScenario("a").WhenStateIs("three")
            .RespondWith(Response.Create().WithStatusCode(200).WithBody("object"));
        await using var gateway = await GatewayUnderTest.StartAsync(storage.Url + "/");

        var entries = (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&missing=abort&{recipe}")).RequireWhole();

        Assert.Equal("object"u8.ToArray(), entries["s/a"]);
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("None/None", 2), (outcome.Blame, outcome.Retries));
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_5_Retry_After_of_a_503_is_respected_within_the_budget(Protocol protocol)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", 100, seed: 1);
        upstream.Fail("/a", Fault.Answer(503, ("Retry-After", "1")));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        var started = TimeProvider.System.GetTimestamp();

        var entries = (await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a")).RequireWhole();

        Assert.Equal(body, entries["s/a"]);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 1, 10);
        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Retries);
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_5_A_503_with_a_longer_Retry_After_is_forwarded_with_it(Protocol protocol)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, seed: 1);
        upstream.Fail("/a", Fault.Answer(503, ("Retry-After", "3600")));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a");

        download.RequireEarly(503);
        Assert.Equal("3600", download.Response.Headers.RetryAfter!.ToString());
        Assert.Equal("Upstream/Throttled", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [MemberData(nameof(Denials))]
    public async Task Row_7_Denied_access_is_502_and_storage_s_texts_are_not_forwarded(Protocol protocol, int status)
    {
        using var storage = WireMockServer.Start();
        storage.Given(Request.Create().WithPath("/a")).RespondWith(Response.Create()
            .WithStatusCode(status).WithHeader("WWW-Authenticate", "Secret realm").WithBody("the-secret-of-storage"));
        await using var gateway = await GatewayUnderTest.StartAsync(storage.Url + "/");

        var download = await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a");

        download.RequireEarly(502);
        Assert.DoesNotContain("secret", System.Text.Encoding.UTF8.GetString(download.Bytes), StringComparison.OrdinalIgnoreCase);
        Assert.False(download.Response.Headers.Contains("WWW-Authenticate"));
        Assert.Equal("Upstream/Denied", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.Contains(gateway.Outcomes.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
        Assert.DoesNotContain(gateway.Outcomes.Lines, line => line.Contains("secret", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_8_A_redirect_to_another_host_is_502_and_the_other_host_gets_no_request(Protocol protocol)
    {
        using var other = WireMockServer.Start();
        using var storage = WireMockServer.Start();
        storage.Given(Request.Create().WithPath("/a")).RespondWith(Response.Create().WithStatusCode(302).WithHeader("Location", other.Url + "/a"));
        await using var gateway = await GatewayUnderTest.StartAsync(storage.Url + "/");

        (await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a")).RequireEarly(502);

        Assert.Empty(other.LogEntries);
        Assert.Equal("Upstream/Redirected", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [MemberData(nameof(Encoded))]
    public async Task Row_19_An_object_encoded_in_transit_is_502_or_cut(Protocol protocol, string recipe, string missing)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, 1, ("Content-Encoding", "gzip"), ("ETag", "W/\"1\""));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&missing={missing}&{recipe}");

        if (missing == "fail")
        {
            download.RequireEarly(502);
        }
        else
        {
            download.RequireCut();
        }

        Assert.Equal("Upstream/Encoded", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.Equal("identity", upstream.Requests.First().Header("Accept-Encoding"));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n")]
    [InlineData("not http at all\r\n\r\n")]
    public async Task Hostile_15_Invalid_response_headers_are_502(string head)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, seed: 1);
        upstream.Fail("/a", new Fault { Head = head, Ending = Ending.Close, Times = 4 });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);

        Assert.StartsWith("Upstream/", (await gateway.RequireOneOutcomeAsync()).Blame, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_15_Headers_of_a_megabyte_are_502()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, seed: 1);
        upstream.Fail("/a", new Fault { Headers = new Dictionary<string, string> { ["X"] = new string('x', 1 << 20) } });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);
    }

    [Fact]
    public async Task Row_3_A_cluster_whose_own_activity_timeout_comes_first_is_504_too()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, seed: 1);
        upstream.Fail("/a", new Fault { After = -1, Ending = Ending.Stall });
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HttpRequest:ActivityTimeout", TimeSpan.FromMilliseconds(300));
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(504);

        Assert.Equal(1, upstream.FaultsDelivered);
    }

    [Fact]
    public async Task Storage_without_HEAD_support_is_queried_with_GET()
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", 5_000_000, seed: 1);
        upstream.Fail("/a", Fault.Answer(405) with { Method = "HEAD" });
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], upstream.Address);

        // The first bundle does not know that the objects are large, and requests them at once.
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
        Assert.Equal(0, upstream.FaultsDelivered);
        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();

        Assert.Equal(body, entries["s/a"]);
        Assert.Equal(1, upstream.FaultsDelivered);
    }

    [Theory]
    [InlineData(204, "Upstream/UnexpectedStatus")]
    [InlineData(205, "Upstream/UnexpectedStatus")]
    [InlineData(206, "Upstream/UnexpectedStatus")]
    [InlineData(226, "Upstream/UnexpectedStatus")]
    [InlineData(304, "Upstream/UnexpectedStatus")]
    [InlineData(416, "Upstream/UnexpectedStatus")]
    [InlineData(418, "Upstream/UnexpectedStatus")]
    [InlineData(599, "Upstream/UnexpectedStatus")]
    public async Task A_status_that_a_plain_GET_never_requests_is_502(int status, string blame)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 100, seed: 1);
        upstream.Fail("/a", new Fault { Status = status, Times = 10 });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);

        Assert.Equal(blame, (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("fail")]
    [InlineData("abort")]
    public async Task Row_19_An_encoded_transfer_is_502_or_cut_too(string missing)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 10, seed: 1);
        upstream.Fail("/a", new Fault { Head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", Ending = Ending.Close });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=" + missing);

        Assert.True(missing == "fail" ? (int)download.Status == 502 : download.IsCut);
        Assert.Equal("Upstream/Encoded", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task Storage_that_rejects_many_objects_is_one_log_line_instead_of_one_per_attempt()
    {
        using var closed = new ClosedPort();
        await using var gateway = await GatewayUnderTest.StartAsync(closed.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=" + string.Join(',', Enumerable.Range(0, 100).Select(i => $"s/{i}")))).RequireEarly(502);

        Assert.Contains((await gateway.RequireOneOutcomeAsync()).Blame, new[] { "Upstream/ConnectionRefused", "Upstream/CircuitOpen" });
        Assert.Single(gateway.Outcomes.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task If_a_client_sends_an_empty_Host_storage_gets_its_own_host_name()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 10, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        foreach (var path in new[] { "/bundle?ids=s/a", "/s/a" })
        {
            using var client = new TcpClient();
            await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
            await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"));

            // The script rejects duplicate headers.
            Assert.StartsWith("HTTP/1.1 200", await new StreamReader(client.GetStream()).ReadToEndAsync(), StringComparison.Ordinal);
        }

        Assert.All(upstream.Requests, request => Assert.Equal(new Uri(upstream.Address).Authority, request.Header("Host")));
    }

    [Fact]
    public async Task Interim_responses_of_storage_are_skipped()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 5, seed: 1);
        upstream.Fail("/a", new Fault
        {
            Head = "HTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\nETag: \"x\"\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"y\"\r\n\r\n",
        });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);

        Assert.Equal(new ObjectContent(5, 1).ToArray(), (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
    }

    [Fact]
    public async Task Storage_with_an_untrusted_certificate_is_502()
    {
        await using var storage = await GatewayUnderTest.StartAsync("http://127.0.0.1:1/");
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 2)], storage.AddressOf(Protocol.Http1Tls).ToString());

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);

        Assert.Equal("Upstream/CertificateNotTrusted", (await gateway.RequireOneOutcomeAsync()).Blame);
    }
}
