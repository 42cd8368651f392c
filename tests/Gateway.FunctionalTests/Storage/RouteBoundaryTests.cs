using System.Net;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>A bundle reads what a single GET would read, through the same route and with the same policy.</summary>
public sealed class RouteBoundaryTests : IAsyncDisposable
{
    private readonly ScriptedUpstream _upstream = new();

    public RouteBoundaryTests()
    {
        _upstream.Put("/media/private/s", 10, seed: 1);
        _upstream.Put("/media/public/s", 10, seed: 2);
        _upstream.Put("/media/int/x", 10, seed: 3);
    }

    public static TheoryData<string, string> Rivals => Ways.Pairs(
        ["/bundle?ids=", "/bundle/plan?ids=", "/bundle?missing=abort&ids=", "/bundle?format=zip&missing=skip&ids=", "HEAD", "POST", "links"],
        ["media/private/s", "media/PRIVATE/s", "media/public/s,media/private/s", "private/s"]);

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [MemberData(nameof(Rivals))]
    public async Task An_id_that_another_route_serves_is_rejected(string door, string ids)
    {
        var configuration = WithRoute("/media/private/{**key}");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:AuthorizationPolicy", "default");
        GatewayUnderTest.Set(configuration, "Bundle:DefaultSource", "media");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.Client.GetAsync("/media/private/s")).StatusCode);

        using var request = door switch
        {
            "HEAD" => new HttpRequestMessage(HttpMethod.Head, "/bundle?ids=" + ids),
            "POST" or "links" => new HttpRequestMessage(HttpMethod.Post, door == "POST" ? "/bundle" : "/bundle/links") { Content = new FormUrlEncodedContent([new("ids", ids)]) },
            _ => new HttpRequestMessage(HttpMethod.Get, door + ids),
        };
        using var response = await gateway.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.DoesNotContain(_upstream.Requests, at => at.Path.Contains("private", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/media//private/s")]
    [InlineData("//media/private/s")]
    [InlineData("/media/private%2fs")]
    [InlineData("/media/private%252fs")]
    [InlineData("/media//private//s")]
    [InlineData("/media/%2570rivate/s")]
    [InlineData("/media/private;x/s")]
    [InlineData("/media/private%253bx=y/s")]
    [InlineData("/media/%25u0070rivate/s")]
    public async Task A_path_that_storage_may_read_as_another_route_s_is_rejected(string path)
    {
        var configuration = WithRoute("/media/private/{**key}");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:AuthorizationPolicy", "default");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head, HttpMethod.Put, HttpMethod.Delete })
        {
            using var direct = new HttpRequestMessage(method, new Uri(gateway.AddressOf(Protocol.Http1).ToString().TrimEnd('/') + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            using var response = await gateway.Client.SendAsync(direct);
            Assert.Contains((int)response.StatusCode, new[] { 400, 401, 404 });
        }

        // The key of a bundle is not decoded again.
        var id = Uri.UnescapeDataString(path[1..]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = System.Net.Http.Json.JsonContent.Create(new { entries = new[] { new { id, name = "x" } } }) };
        using var bundle = await gateway.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, bundle.StatusCode);
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData("/media//public/s", "/media//public/s")]
    [InlineData("/media/public%2fs", "/media/public%252fs")]
    [InlineData("/media/100%25", "/media/100%25")]
    public async Task A_path_with_empty_segments_or_percent_signs_is_forwarded(string path, string expected)
    {
        await using var gateway = await GatewayUnderTest.StartAsync(WithRoute("/media/private/{**key}"));

        using var response = await gateway.Client.GetAsync(new Uri(gateway.AddressOf(Protocol.Http1).ToString().TrimEnd('/') + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));

        Assert.Equal(expected, Assert.Single(_upstream.Requests).Path);
    }

    [Fact]
    public async Task Ids_next_to_a_more_specific_route_are_served()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(WithRoute("/media/private/{**key}"));

        Assert.Single((await Download.GetAsync(gateway.Client, "/bundle?ids=media/public/s")).RequireWhole());
    }

    [Theory]
    [InlineData("/media/{folder}/s", null, null, 400)]
    [InlineData("/{any}/private/{name}", null, null, 200)]
    [InlineData("/{**all}", null, null, 200)]
    [InlineData("/{any}/private/{name}", "Order", -1, 400)]
    [InlineData("/media/{**all}", "Order", -1, 400)]
    [InlineData("/media/private/{**key}", "Match:Methods:0", "PUT", 200)]
    [InlineData("/media/private/{**key}", "Match:Methods:0", "GET", 400)]
    [InlineData("/media/private/{**key}", "Match:Hosts:0", "elsewhere.example", 200)]
    [InlineData("/media/private/{**key}", "Match:Hosts:0", "127.0.0.1", 400)]
    [InlineData("/media/private", null, null, 200)]
    [InlineData("/other/private/{**key}", null, null, 200)]
    public async Task Another_route_wins_in_a_bundle_if_it_wins_for_a_single_GET(string path, string? key, object? value, int status)
    {
        var configuration = WithRoute(path);
        if (key is not null)
        {
            GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:" + key, value!);
        }

        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:AuthorizationPolicy", "default");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Equal(status == 200 ? 200 : 401, (int)(await gateway.Client.GetAsync("/media/private/s")).StatusCode);
        Assert.Equal(status, (int)(await gateway.Client.GetAsync("/bundle?ids=media/private/s")).StatusCode);
    }

    [Theory]
    [InlineData("X-Role", "admin", 400)]
    [InlineData("X-Role", "guest", 200)]
    public async Task The_clients_headers_choose_the_route_as_for_a_single_GET(string header, string value, int status)
    {
        var configuration = WithRoute("/media/private/{**key}");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:Match:Headers:0:Name", "X-Role");
        configuration["ReverseProxy"]!["Routes"]!["rival"]!["Match"]!["Headers"] = new JsonArray(new JsonObject { ["Name"] = "X-Role", ["Values"] = new JsonArray("admin") });
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=media/private/s");
        request.Headers.Add(header, value);

        Assert.Equal(status, (int)(await Download.SendAsync(gateway.Client, request)).Status);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task An_internal_route_below_a_less_specific_one_is_404(string method)
    {
        var configuration = WithRoute("/media/int/{**key}");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:Metadata:Bundle.Internal", "true");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:Metadata:Bundle.Source", "int");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:AuthorizationPolicy", "default");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Equal(404, RawHttp.StatusOf(await RawHttp.SendAsync(gateway.Address, "/media/int/x", method)));
        Assert.Equal(404, RawHttp.StatusOf(await RawHttp.SendAsync(gateway.Address, gateway.Address + "media/INT/x", method)));
        Assert.Empty(_upstream.Requests);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=media/int/x")).RequireEarly(400);
    }

    [Fact]
    public async Task An_internal_source_below_a_less_specific_route_is_available_to_bundles()
    {
        var configuration = WithRoute("/media/int/{**key}");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:Metadata:Bundle.Internal", "true");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:Metadata:Bundle.Source", "int");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Single((await Download.GetAsync(gateway.Client, "/bundle?ids=int/x")).RequireWhole());
    }

    /// <summary>The source <c>media</c>, and another route without a source.</summary>
    private JsonObject WithRoute(string path)
    {
        var configuration = GatewayUnderTest.Configuration(("media", [_upstream.Address]));
        configuration["ReverseProxy"]!["Routes"]!["media"]!["Transforms"] = new JsonArray();
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:ClusterId", "media");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:Match:Path", path);
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:me:Sha256", new string('0', 64));
        return configuration;
    }
}
