using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Server;

/// <summary>A request target leads to exactly the place that routing and authorization have seen.</summary>
public sealed class RequestTargetTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public static TheoryData<string, string> Escapes => Ways.Pairs(
        ["GET", "HEAD", "PUT", "DELETE", "POST", "OPTIONS"],
        [
            "http://{host}/s/..%2fprivate/secret", "http://{host}/s/..%2Fprivate/secret", "http://{host}/s/x%2f..%2f..%2fprivate/secret",
            "http://{host}/s/..%5cprivate/secret", "http://{host}/s/..\\private/secret", "http://{host}/s/%2e%2e%2fprivate/secret",
            "http://{host}/s/..%2finternal/secret", "http://{host}/s/..%2f..%2fadmin", "http://{host}/prefixed/..%2f..%2fadmin",
            "http://{host}/pattern/..%2f..%2fadmin", "http://{host}/s/a%2fb", "https://{host}/s/..%2fprivate/secret", "s://{host}/s/..%2fprivate/secret",
            "/s/..%2fprivate/secret", "/s/%2e%2e%2fprivate/secret", "/s/..%5cprivate/secret", "/s/%252e%252e/private/secret", "/s/%252e%252e%252fprivate/secret",
            "/s/%25252e%25252e%25252f/private/secret", "/s/.%2e%2f..%2fadmin", "/s/..;/private/secret", "/s/..;x=y/private/secret", "/s/.;/secret", "/s/..%2f", "/prefixed/..%2f..%2fadmin",
            "/pattern/..%2f..%2fadmin", "/s/%2e%252e/private/secret",
        ]);

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/bucket/a", 10, seed: 1);
        var storage = _upstream.Address + "bucket/";
        var configuration = GatewayUnderTest.Configuration(("s", [storage]), ("private", [storage]), ("internal", [storage]), ("prefixed", [storage]), ("pattern", [storage]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:private:AuthorizationPolicy", "default");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:internal:Metadata:Bundle.Internal", "true");
        configuration["ReverseProxy"]!["Routes"]!["prefixed"]!["Transforms"]!.AsArray().Add(new JsonObject { ["PathPrefix"] = "/tenant" });
        configuration["ReverseProxy"]!["Routes"]!["pattern"]!["Transforms"] = new JsonArray(new JsonObject { ["PathPattern"] = "/tenant/{**key}" });
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:me:Sha256", new string('0', 64));
        _gateway = await GatewayUnderTest.StartAsync(configuration);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Escapes))]
    public async Task A_path_that_would_leave_its_route_is_400_and_storage_gets_no_request(string method, string target)
    {
        var response = await RawHttp.SendAsync(_gateway.Address, target.Replace("{host}", _gateway.Address.Authority, StringComparison.Ordinal), method);

        Assert.Equal(400, RawHttp.StatusOf(response));
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData("/s/%2e%2e/s/a", "/bucket/a")]
    [InlineData("/s/x/../a", "/bucket/a")]
    [InlineData("http://{host}/s/a", "/bucket/a")]
    [InlineData("http://{host}/s/%61?q=..%2f..", "/bucket/a?q=..%2f..")]
    [InlineData("/s/a?path=../..%2fx", "/bucket/a?path=../..%2fx")]
    [InlineData("/s/..a/...", "/bucket/..a/...")]
    [InlineData("/s/.well-known/x", "/bucket/.well-known/x")]
    [InlineData("/prefixed/a", "/bucket/tenant/a")]
    [InlineData("/pattern/a", "/bucket/tenant/a")]
    public async Task A_path_that_stays_in_its_route_is_proxied(string target, string expected)
    {
        await RawHttp.SendAsync(_gateway.Address, target.Replace("{host}", _gateway.Address.Authority, StringComparison.Ordinal));

        Assert.Equal(expected, Assert.Single(_upstream.Requests).Path);
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task An_encoded_dot_segment_is_400_over_every_protocol(Protocol protocol)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_gateway.AddressOf(protocol) + "s/..%2fprivate/secret", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));

        (await Download.SendAsync(_gateway.ClientOf(protocol), request)).RequireEarly(400);
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("POST")]
    public async Task An_absolute_form_target_is_subject_to_the_policy_of_its_route(string method)
    {
        var response = await RawHttp.SendAsync(_gateway.Address, _gateway.Address + "private/secret", method);

        Assert.Equal(401, RawHttp.StatusOf(response));
        Assert.Empty(_upstream.Requests);
    }
}
