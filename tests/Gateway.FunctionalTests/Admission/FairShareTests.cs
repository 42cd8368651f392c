using System.Net;
using System.Net.Sockets;
using System.Text;
using Testing;

namespace Gateway.FunctionalTests.Admission;

/// <summary>How much one client may use, and what is left for the others.</summary>
public sealed class FairShareTests : IAsyncDisposable
{
    private readonly ScriptedUpstream _upstream = new();

    public FairShareTests()
    {
        _upstream.Put("/a", 10, seed: 1);
        _upstream.Put("/large", new ObjectContent(100 << 20, 1, compressible: false));
    }

    public static TheoryData<string, string> Bodies => new()
    {
        { "/bundle", "application/json" }, { "/bundle/plan", "application/json" }, { "/bundle/links", "application/json" },
        { "/bundle", "application/x-www-form-urlencoded" },
    };

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Fact]
    public async Task A_replica_whose_permits_are_all_in_use_is_ready_until_its_queue_is_full()
    {
        await using var gateway = await GatewayUnderTest.StartAsync([("Limits:MaxActive", 1), ("Limits:MaxQueued", 1)], _upstream.Address);
        await using var running = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/large");
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/s/a")).StatusCode);

        using var stop = new CancellationTokenSource();
        var waiting = Download.GetAsync(gateway.Client, "/bundle?ids=s/a", stop.Token);
        await Eventually.TrueAsync(() => gateway.Queued == 1, "one waits");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/s/a")).StatusCode);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_client_may_run_16_bundles_at_a_time_and_the_rejection_names_the_option()
    {
        await using var gateway = await GatewayUnderTest.StartAsync([("Limits:MaxActive", 64)], _upstream.Address);
        var running = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/large")));

        var refused = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        refused.RequireEarly(429);
        Assert.Contains("Bundle:Limits:MaxPerClient", Encoding.UTF8.GetString(refused.Bytes), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/bundle/plan?ids=s/a")).StatusCode);
        await Task.WhenAll(running.Select(client => client.DisposeAsync().AsTask()));
    }

    [Theory]
    [InlineData(1 << 20, true)]
    [InlineData(0, false)]
    public async Task A_client_that_reads_too_slowly_loses_its_permit_to_one_that_waits(int minRate, bool isCut)
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxActive", 1);
        GatewayUnderTest.Set(configuration, "Bundle:Client:MinRate", minRate);
        await using var gateway = await GatewayUnderTest.StartAsync(configuration, builder => Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<TimeProvider>(builder.Services, time));
        await using var slow = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/large");
        await Eventually.StandsStillAsync(() => _upstream.BodyBytes, TimeSpan.FromMilliseconds(300));
        time.Advance(TimeSpan.FromMinutes(1));

        using var stop = new CancellationTokenSource();
        var waiting = Download.GetAsync(gateway.Client, "/bundle?ids=s/a", stop.Token);
        await Eventually.TrueAsync(() => gateway.Queued == 1, "one waits");
        time.Advance(TimeSpan.FromSeconds(11));

        if (isCut)
        {
            (await waiting).RequireWhole();
            (await slow.TakeRestAsync()).RequireCut();
        }
        else
        {
            Assert.Equal(1, gateway.Queued);
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }
    }

    [Theory]
    [InlineData("HEAD", "/bundle?ids=s/a")]
    [InlineData("GET", "/bundle/plan?ids=s/a")]
    public async Task Metadata_requests_have_a_separate_limit_for_each_client(string method, string url)
    {
        _upstream.Fail("/a", new Fault { Method = "HEAD", After = -1, Ending = Ending.Stall, Times = 100 });
        _upstream.Fail("/a", new Fault { After = -1, Ending = Ending.Stall, Times = 100 });
        await using var gateway = await GatewayUnderTest.StartAsync([("Limits:MaxMetadataPerClient", 2)], _upstream.Address);
        using var stop = new CancellationTokenSource();
        var running = Enumerable.Range(0, 2).Select(_ => SendAsync(gateway, method, url, stop.Token)).ToArray();
        await Eventually.TrueAsync(() => _upstream.Requests.Count >= 2, "two are running");

        using var refused = await SendAsync(gateway, method, url, CancellationToken.None);

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        await stop.CancelAsync();
        await Task.WhenAll(running.Select(one => Assert.ThrowsAnyAsync<OperationCanceledException>(() => one)));
    }

    [Theory]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    [InlineData("1.1.1.1", "::ffff:1.1.1.1", true)]
    [InlineData("1.1.1.1", "1.1.1.2", false)]
    public async Task An_anonymous_client_is_identified_by_its_IPv4_address_or_IPv6_network(string first, string second, bool isSame)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", 1);
        GatewayUnderTest.Set(configuration, "Proxies:0", "127.0.0.1");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        using var running = await OpenAsync(first);
        using var other = await OpenAsync(second);

        Assert.Equal((HttpStatusCode.OK, isSame ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK), (running.StatusCode, other.StatusCode));

        Task<HttpResponseMessage> OpenAsync(string address)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/large");
            request.Headers.Add("X-Forwarded-For", address);
            return gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.0.0.0/8", true)]
    public async Task An_unknown_proxy_is_reported_once_and_the_rejection_names_the_option(string? proxy, bool isReported)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", 1);
        if (proxy is not null)
        {
            GatewayUnderTest.Set(configuration, "Proxies:0", proxy);
        }

        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        using var running = await OpenAsync();
        using var refused = await OpenAsync();

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(isReported, (await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains("until it is listed in the option Proxies", StringComparison.Ordinal));
        Assert.Equal(isReported ? 1 : 0, gateway.Outcomes.Lines.Count(line => line.Contains("not in Proxies", StringComparison.Ordinal)));

        Task<HttpResponseMessage> OpenAsync()
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/large");
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", "9.9.9.9, 1.1.1.1");
            return gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Slow_bodies_of_one_client_leave_memory_for_others(string url, string type)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Memory:MaxBytes", 64 << 20);
        GatewayUnderTest.Set(configuration, "Proxies:0", "127.0.0.1");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        var slow = new List<TcpClient>();
        for (var i = 0; i < 32; i++)
        {
            // The request declares eight megabytes and sends only a few bytes.
            slow.Add(await RawAsync(gateway.Address, $"POST {url} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\nContent-Type: {type}\r\nContent-Length: {8 << 20}\r\n\r\n{{"));
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent("{\"entries\":[{\"id\":\"s/a\"}]}", Encoding.UTF8, "application/json") };
        request.Headers.Add("X-Forwarded-For", "2.2.2.2");
        using var response = await gateway.Client.SendAsync(request);

        Assert.True(response.IsSuccessStatusCode);
        slow.ForEach(client => client.Dispose());
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task If_every_source_requires_authentication_an_unknown_client_is_rejected_before_its_body_is_read(string url, string type)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]), ("t", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:me:Sha256", new string('0', 64));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:AuthorizationPolicy", "default");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:t:AuthorizationPolicy", "default");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        using var client = await RawAsync(gateway.Address, $"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Type: {type}\r\nContent-Length: {8 << 20}\r\n\r\n");
        var buffer = new byte[1024];
        var count = await client.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken);

        Assert.StartsWith("HTTP/1.1 401 ", Encoding.ASCII.GetString(buffer, 0, count), StringComparison.Ordinal);
        Assert.Contains("WWW-Authenticate: ApiKey", Encoding.ASCII.GetString(buffer, 0, count), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/bundle")]
    [InlineData("/bundle/plan")]
    [InlineData("/bundle/links")]
    public async Task Manifests_beyond_the_memory_limit_are_503_or_429_and_all_others_are_served(string url)
    {
        const int Clients = 64;
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Memory:MaxBytes", 256 << 20);
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxMetadataPerClient", 0);
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", 0);
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        var manifest = Encoding.UTF8.GetBytes($"{{\"missing\":\"skip\",\"entries\":[{string.Join(',', Enumerable.Range(0, 2000).Select(i => $"{{\"id\":\"s/{new string('x', 200)}{i}\",\"name\":\"{new string('y', 200)}{i}\"}}"))}]}}");

        var responses = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            using var content = new ByteArrayContent(manifest);
            content.Headers.ContentType = new("application/json");
            using var response = await gateway.Client.PostAsync(url, content);
            return (int)response.StatusCode;
        }));

        Assert.All(responses, status => Assert.Contains(status, (int[])[200, 201, 404, 429, 503]));
        Assert.Contains(responses, status => status is 200 or 201 or 404);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/bundle/plan?ids=s/a")).StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(GatewayUnderTest gateway, string method, string url, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        return await gateway.Client.SendAsync(request, cancellationToken);
    }

    private static async Task<TcpClient> RawAsync(Uri address, string request)
    {
        var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        return client;
    }
}
