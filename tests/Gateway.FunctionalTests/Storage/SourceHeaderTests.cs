using Gateway.Storage;
using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Which client headers reach storage: only those that its source lists.</summary>
public sealed class SourceHeaderTests : IAsyncDisposable
{
    private static readonly (string Name, string Value)[] Sent =
    [
        ("Authorization", "Bearer x"), ("Cookie", "c=1"), ("Range", "bytes=1-2"), ("If-None-Match", "\"none\""), ("If-Modified-Since", "Fri, 02 Jan 2026 03:04:06 GMT"),
        ("Accept-Encoding", "br"), ("X-Custom", "1"), ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Prefix", "/x"), ("Forwarded", "for=6.6.6.6"), ("Proxy-Authorization", "Basic x"),
        ("X-HTTP-Method-Override", "DELETE"), ("X-Original-URL", "/admin"), ("X-Amz-Security-Token", "t"), ("Expect", "100-continue"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", "x=1"), ("baggage", "x=1"),
    ];

    private readonly ScriptedUpstream _upstream = new();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Hostile_13_No_client_header_reaches_storage(Protocol protocol)
    {
        _upstream.Put("/a", 10, seed: 1);
        await using var gateway = await StartAsync(null);
        using var request = Request(Sent);

        // A range of a tar.gz of unknown length returns the whole archive.
        Assert.Single((await Download.SendAsync(gateway.ClientOf(protocol), request)).RequireWhole());

        Assert.NotEmpty(_upstream.Requests);
        Assert.All(_upstream.Requests, seen =>
        {
            Assert.Equal("identity", seen.Header("Accept-Encoding"));
            Assert.Equal("127.0.0.1", seen.Header("X-Forwarded-For"));
            Assert.All(Sent.Select(header => header.Name).Except(["Accept-Encoding", "X-Forwarded-For"]), name => Assert.Null(seen.Header(name)));
        });
    }

    [Fact]
    public async Task Hostile_13_Only_the_source_that_lists_a_header_receives_it()
    {
        _upstream.Put("/a", 10, seed: 1);
        _upstream.Put("/b", 10, seed: 2);
        await using var gateway = await StartAsync("X-Custom, authorization");
        using var request = Request(Sent, "/bundle?ids=s/a,other/b");

        (await Download.SendAsync(gateway.Client, request)).RequireWhole();

        Assert.All(_upstream.Requests, seen => Assert.Equal((seen.Path == "/a" ? "1" : null, seen.Path == "/a" ? "Bearer x" : null), (seen.Header("X-Custom"), seen.Header("Authorization"))));
        Assert.All(_upstream.Requests, seen => Assert.Null(seen.Header("Cookie")));
    }

    [Fact]
    public async Task Hostile_13_A_value_that_is_not_ASCII_is_forwarded_unchanged_and_is_not_a_storage_failure()
    {
        _upstream.Put("/a", 10, seed: 1);
        await using var gateway = await StartAsync("X-Tenant");
        using var wire = new System.Net.Sockets.TcpClient();
        await wire.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
        var stream = wire.GetStream();
        await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes("GET /bundle?ids=s/a HTTP/1.1\r\nHost: x\r\nX-Tenant: \u00E9\r\nConnection: close\r\n\r\n"));

        Assert.StartsWith("HTTP/1.1 200", await new StreamReader(stream).ReadToEndAsync(), StringComparison.Ordinal);

        // The script reads its requests as Latin-1.
        Assert.All(_upstream.Requests, seen => Assert.Equal("\u00C3\u00A9", seen.Header("X-Tenant")));
        Assert.Equal(("None/None", 0), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
    }

    [Fact]
    public async Task Forwarded_client_headers_are_part_of_the_ETag_because_storage_may_return_different_objects_to_other_tenants()
    {
        _upstream.Put("/a", 10, seed: 1);
        await using var gateway = await StartAsync("X-Tenant");
        var tags = new List<string>();
        foreach (var tenant in new[] { "one", "one", "two", "" })
        {
            using var request = Request([("X-Tenant", tenant)]);
            tags.Add((await Download.SendAsync(gateway.Client, request)).Response.Headers.ETag!.Tag);
        }

        Assert.Equal(tags[0], tags[1]);
        Assert.Equal(3, tags.Distinct().Count());
    }

    [Theory]
    [InlineData("Range")]
    [InlineData("X-Custom, if-match")]
    [InlineData("Content-Length")]
    [InlineData("Host")]
    [InlineData("x-forwarded-for")]
    [InlineData("Transfer-Encoding")]
    [InlineData("")]
    [InlineData("X-Custom,")]
    [InlineData("X Custom")]
    [InlineData("X-Custom: 1")]
    public async Task A_header_that_clients_must_not_set_prevents_the_start(string names)
    {
        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => StartAsync(names));

        Assert.Contains("Metadata:Bundle.Headers: '", fault.Message, StringComparison.Ordinal);
    }

    private static HttpRequestMessage Request((string Name, string Value)[] headers, string url = "/bundle?ids=s/a")
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private Task<GatewayUnderTest> StartAsync(string? names)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]), ("other", [_upstream.Address]));
        if (names is not null)
        {
            GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.Headers", names);
        }

        return GatewayUnderTest.StartAsync(configuration);
    }
}
