using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Storage;
using Testing;

namespace Gateway.FunctionalTests.Server;

/// <summary>The server's own behavior, before a request becomes a bundle.</summary>
public sealed class ServerTests : IAsyncDisposable
{
    private readonly ScriptedUpstream _upstream = new();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData("GET /bundle?ids=s/a HTTP/1.1\r\nHost: x\r\nX-Slow: ")]
    [InlineData("POST /bundle HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")]
    public async Task Row_28_Slow_headers_or_a_slow_manifest_return_408_or_close_the_connection(string beginning)
    {
        await using var gateway = await StartAsync(("Kestrel:Limits:RequestHeadersTimeout", "00:00:01"));
        using var client = new TcpClient();
        await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(beginning), TestContext.Current.CancellationToken);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var answer = await new StreamReader(stream).ReadToEndAsync(patience.Token);

        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal), answer);
        Assert.Empty(_upstream.Requests);
    }

    [Fact]
    public async Task Limits_of_the_server_are_configured_with_Kestrel_s_names()
    {
        await using var gateway = await StartAsync(("Kestrel:Limits:MaxRequestLineSize", "100"), ("Kestrel:Limits:MaxRequestHeaderCount", "20"));

        Assert.Equal(HttpStatusCode.RequestUriTooLong, (await gateway.Client.GetAsync("/bundle?ids=s/" + new string('a', 200))).StatusCode);
    }

    [Theory]
    [InlineData("Kestrel:Limits:MaxRequestLineSiez", "100", "MaxRequestLineSiez")]
    [InlineData("Kestrel:Limits:RequestHeadersTimeout", "soon", "RequestHeadersTimeout")]
    [InlineData("Kestrel:Limits:MaxRequestHeaderCount", "-1", "Kestrel:Limits: Value must be a positive number")]
    [InlineData("Proxies:0", "nobody", "Proxies:0")]
    [InlineData("Proxies", "10.0.0.7", "Proxies: must be a non-empty list")]
    public async Task An_unknown_or_invalid_limit_prevents_the_start(string key, string value, string expected)
    {
        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => StartAsync((key, value)));

        Assert.Contains(expected, fault.Message + string.Join('\n', fault.Faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "127.0.0.1")]
    [InlineData("10.0.0.0/8", "127.0.0.1")]
    [InlineData("127.0.0.1", "6.6.6.6")]
    [InlineData("127.0.0.0/8", "6.6.6.6")]
    public async Task Hostile_14_Forwarded_headers_are_accepted_only_from_a_known_proxy(string? proxy, string seen)
    {
        _upstream.Put("/a", 10, seed: 1);
        await using var gateway = await (proxy is null ? StartAsync() : StartAsync(("Proxies:0", proxy)));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/a");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "7.7.7.7, 6.6.6.6");
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", "evil.example");

        (await Download.SendAsync(gateway.Client, request)).RequireWhole();

        Assert.All(_upstream.Requests, at => Assert.Equal(seen, at.Header("X-Forwarded-For")));
        Assert.All(_upstream.Requests, at => Assert.NotEqual("evil.example", at.Header("X-Forwarded-Host")));
    }

    [Theory]
    [InlineData("Management:Urls", "http://unix:/tmp/gateway-test.sock", null)]
    [InlineData("Management:Urls", "http://127.0.0.2:{port}", null)]
    [InlineData("Management:Urls", "http://127.0.0.1:0", "Kestrel:Endpoints:Http:Url")]
    public async Task Two_indistinguishable_listeners_prevent_the_start(string key, string value, string? endpoint)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        var port = ReservedPort.Next();
        GatewayUnderTest.Set(configuration, key, value.Replace("{port}", $"{port}", StringComparison.Ordinal));
        if (endpoint is not null)
        {
            GatewayUnderTest.Set(configuration, endpoint, "http://127.0.0.1:0");
        }

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration, urls: $"http://127.0.0.1:{port}"));

        Assert.Contains("Management:Urls", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_second_listener_serves_health_exclusively_and_nothing_else()
    {
        _upstream.Put("/a", 10, seed: 1);
        await using var gateway = await StartAsync(("Management:Urls", "http://127.0.0.1:0"));
        var (outside, inside) = (gateway.Addresses[0], gateway.Addresses[^1]);
        Assert.NotEqual(outside, inside);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(inside, "/health/ready"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(outside, "/health/ready"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(outside, "/health/live", host: inside.Authority));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(outside, "/bundle?ids=s/a"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(inside, "/bundle?ids=s/a"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(inside, "/s/a", host: outside.Authority));

        async Task<HttpStatusCode> StatusAsync(Uri address, string path, string? host = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
            request.Headers.Host = host;
            return (await gateway.Client.SendAsync(request)).StatusCode;
        }
    }

    private Task<GatewayUnderTest> StartAsync(params (string Key, string Value)[] settings)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        foreach (var (key, value) in settings)
        {
            GatewayUnderTest.Set(configuration, key, value);
        }

        // A second listener requires addresses set with urls.
        return GatewayUnderTest.StartAsync(configuration, urls: settings.Any(setting => setting.Key == "Management:Urls") ? "http://127.0.0.1:0" : null);
    }
}
