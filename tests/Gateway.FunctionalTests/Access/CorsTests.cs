using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Testing;

namespace Gateway.FunctionalTests.Access;

/// <summary>Web apps on other origins.</summary>
public sealed class CorsTests : IAsyncLifetime
{
    private const string App = "https://app.example";
    private const string Key = "a-key-that-is-long-enough-for-anybody-000";

    private readonly ScriptedUpstream _upstream = new();

    public ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 300_000, 1, ("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true"), ("Access-Control-Expose-Headers", "X-Secret"));
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData("GET", "/bundle?ids=s/a")]
    [InlineData("HEAD", "/bundle?ids=s/a")]
    [InlineData("GET", "/bundle/plan?ids=s/a")]
    [InlineData("GET", "/s/a")]
    [InlineData("GET", "/bundle?ids=s/none")] // errors are readable too
    [InlineData("GET", "/bundle/links/none")]
    [InlineData("GET", "/bundle?ids=@long")]
    public async Task A_response_lists_the_policy_s_origin_and_the_readable_headers(string method, string url)
    {
        await using var gateway = await StartAsync(Policy(App));
        using var request = Request(method, url.Replace("@long", new string('x', 9000), StringComparison.Ordinal), App);

        using var response = await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(App, Header(response, "Access-Control-Allow-Origin"));
        Assert.Contains("Content-Disposition", Header(response, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
        Assert.Contains("Bundle-Skipped", Header(response, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
        Assert.DoesNotContain("X-Secret", Header(response, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
        Assert.Null(Header(response, "Access-Control-Allow-Credentials"));
        Assert.Contains("Origin", response.Headers.Vary);
    }

    [Theory]
    [InlineData("/bundle")]
    [InlineData("/bundle/plan")]
    [InlineData("/bundle/links")]
    [InlineData("/s/a")]
    public async Task Other_origins_get_no_CORS_headers_and_storage_cannot_extend_the_policy(string url)
    {
        await using var gateway = await StartAsync(Policy(App));
        foreach (var origin in new[] { "https://evil.example", "http://app.example", "https://app.example.evil", "https://app.example:444", "null" })
        {
            using var request = Request("GET", url + "?ids=s/a", origin);
            using var response = await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            using var preflight = Preflight(url, origin, "GET", "range");
            using var answer = await gateway.Client.SendAsync(preflight);

            Assert.DoesNotContain(response.Headers.Concat(answer.Headers), header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Theory]
    [InlineData("/bundle", "POST", "content-type,authorization,x-api-key")]
    [InlineData("/bundle", "GET", "range,if-range")]
    [InlineData("/bundle/links", "POST", "content-type")]
    [InlineData("/bundle/links/xyz", "GET", "range")]
    [InlineData("/bundle/plan", "POST", "content-type")]
    [InlineData("/s/a", "GET", "range")]
    [InlineData("/secret/a", "GET", "authorization")]
    public async Task A_preflight_needs_no_credentials_and_does_not_reach_storage(string url, string method, string headers)
    {
        await using var gateway = await StartAsync(Policy(App));
        using var request = Preflight(url, App, method, headers);

        using var response = await gateway.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(App, Header(response, "Access-Control-Allow-Origin"));
        Assert.Contains(method, Header(response, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Equal("600", Header(response, "Access-Control-Max-Age"));
        Assert.All(headers.Split(','), header => Assert.Contains(header, Header(response, "Access-Control-Allow-Headers")!.Split(','), StringComparer.OrdinalIgnoreCase));
        Assert.Empty(_upstream.Requests);
    }

    [Fact]
    public async Task Any_origin_is_sent_as_an_asterisk_and_never_as_the_request_s_origin()
    {
        await using var gateway = await StartAsync(Policy("*"));
        using var request = Request("GET", "/bundle?ids=s/a", "https://evil.example");

        using var response = await gateway.Client.SendAsync(request);

        Assert.Equal("*", Header(response, "Access-Control-Allow-Origin"));
        Assert.Null(Header(response, "Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task A_policy_may_set_subdomains_credentials_methods_headers_and_max_age()
    {
        var policy = Policy("https://*.example");
        policy["Credentials"] = true;
        policy["Headers"] = new JsonArray("X-Mine");
        policy["MaxAge"] = "00:00:05";
        await using var gateway = await StartAsync(policy);
        using var request = Preflight("/bundle", "https://team.app.example", "GET", "x-mine");

        using var response = await gateway.Client.SendAsync(request);

        Assert.Equal("https://team.app.example", Header(response, "Access-Control-Allow-Origin"));
        Assert.Equal("true", Header(response, "Access-Control-Allow-Credentials"));
        Assert.Equal("X-Mine", Header(response, "Access-Control-Allow-Headers"));
        Assert.Equal("5", Header(response, "Access-Control-Max-Age"));
    }

    [Fact]
    public async Task Without_a_policy_nothing_changes_and_CORS_headers_of_storage_are_forwarded()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        using var bundle = Request("GET", "/bundle?ids=s/a", App);
        using var direct = Request("GET", "/s/a", App);

        using var response = await gateway.Client.SendAsync(bundle);
        using var proxied = await gateway.Client.SendAsync(direct);

        Assert.Null(Header(response, "Access-Control-Allow-Origin"));
        Assert.Equal("*", Header(proxied, "Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("Cors:Policies:p:Origins:0", "*", "Cors:Policies:p:Credentials: cannot be true with the origin '*'")]
    [InlineData("Cors:Policies:p:Origins:1", "*", "Cors:Policies:p:Origins: '*' must be the only one")]
    [InlineData("Cors:Policies:p:Origins:0", "https://app.example/", "Cors:Policies:p:Origins:0: must be an origin")]
    [InlineData("Cors:Policies:p:Origins:0", "app.example", "Cors:Policies:p:Origins:0: must be an origin")]
    [InlineData("Cors:Policies:p:Origins:0", "null", "Cors:Policies:p:Origins:0: must be an origin")]
    [InlineData("Cors:Policies:p:Origins:0", "https://*", "Cors:Policies:p:Origins:0: must be an origin")]
    [InlineData("Cors:Policies:p:Origins:0", "https://user@app.example", "Cors:Policies:p:Origins:0: must be an origin")]
    [InlineData("Cors:Policies:p:MaxAge", "2.00:00:00", "Cors:Policies:p:MaxAge: must be from")]
    [InlineData("Cors:Policies:p:Origin", "x", "Cors:Policies:p:Origin: unknown key")]
    [InlineData("Cors:Policies:q:Credentials", "false", "Cors:Policies:q:Origins: at least one is required")]
    [InlineData("Cors:Policies:default:Credentials", "false", "Cors:Policies:default: the name is reserved")]
    [InlineData("Cors:Policy", "x", "Cors:Policy: unknown key")]
    [InlineData("Bundle:CorsPolicy", "none", "Bundle:CorsPolicy: there is no policy 'none'")]
    [InlineData("ReverseProxy:Routes:s:CorsPolicy", "none", "ReverseProxy:Routes:s:CorsPolicy: there is no policy 'none'")]
    [InlineData("ReverseProxy:Routes:s:CorsPolicy", "default", "ReverseProxy:Routes:s:CorsPolicy: there is no policy 'default'")]
    [InlineData("ReverseProxy:Routes:s:RateLimiterPolicy", "default", "ReverseProxy:Routes:s:RateLimiterPolicy: not supported")]
    [InlineData("ReverseProxy:Routes:s:OutputCachePolicy", "x", "ReverseProxy:Routes:s:OutputCachePolicy: not supported")]
    [InlineData("ReverseProxy:Routes:s:TimeoutPolicy", "x", "'s'")]
    [InlineData("ReverseProxy:Routes:s:AuthorizationPolicy", "default", "ReverseProxy:Routes:s:AuthorizationPolicy: no client could satisfy 'default'")]
    [InlineData("ReverseProxy:Routes:s:AuthorizationPolicy", "none", "ReverseProxy:Routes:s:AuthorizationPolicy: no client could satisfy 'none'")]
    public async Task A_policy_that_is_unsafe_or_without_effect_prevents_the_start(string key, string value, string fault)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["Cors"] = new JsonObject { ["Policies"] = new JsonObject { ["p"] = Policy(App) } };
        configuration["Cors"]!["Policies"]!["p"]!["Credentials"] = value == "*" && fault.Contains("Credentials", StringComparison.Ordinal);
        Set(configuration, key, value);

        var thrown = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration));

        Assert.Contains(thrown.Faults, line => line.Contains(fault, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("CorsPolicy", "disable")]
    [InlineData("RateLimiterPolicy", "disable")]
    [InlineData("TimeoutPolicy", "disable")]
    [InlineData("AuthorizationPolicy", "anonymous")]
    [InlineData("Timeout", "00:00:30")]
    public async Task A_route_may_disable_a_policy(string key, string value)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["ReverseProxy"]!["Routes"]!["s"]![key] = value;
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/s/a")).StatusCode);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
    }

    [Fact]
    public async Task The_management_listener_has_no_policy()
    {
        var configuration = Configuration(Policy("*"));
        GatewayUnderTest.Set(configuration, "Management:Urls", "http://127.0.0.1:0");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration, urls: "http://127.0.0.1:0");
        var management = gateway.Addresses[^1];
        using var client = new HttpClient();
        foreach (var path in new[] { "health/live", "bundle?ids=s/a", "s/a" })
        {
            using var request = Request("GET", $"{management}{path}", App);
            using var response = await client.SendAsync(request);
            using var preflight = Preflight($"{management}{path}", App, "GET", "range");
            using var answer = await client.SendAsync(preflight);

            Assert.DoesNotContain(response.Headers.Concat(answer.Headers), header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task A_web_app_in_Chromium_plans_links_downloads_with_progress_and_resumes()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/", () => Results.Content("<!doctype html><title>app</title>", "text/html"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var page = new Uri(app.Urls.Single() + "/");
        _upstream.Put("/a", 8_000_000, seed: 1);
        await using var gateway = await StartAsync(Policy(page.GetLeftPart(UriPartial.Authority)));
        await using var chromium = await Chromium.StartAsync();

        var result = await chromium.RunAsync(page, $$"""
            (async () => {
              const gateway = '{{gateway.Address.GetLeftPart(UriPartial.Authority)}}', headers = { 'X-Api-Key': '{{Key}}' };
              const plan = await (await fetch(gateway + '/bundle/plan?ids=secret/a&format=tar', { headers })).json();
              const made = await fetch(gateway + '/bundle/links', { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' },
                body: JSON.stringify({ format: 'tar', pin: true, entries: [{ id: 'secret/a' }] }) });
              const link = gateway + made.headers.get('Location');
              const whole = await fetch(link, { headers });
              const reader = whole.body.getReader();
              let got = 0, steps = 0;
              for (let part; !(part = await reader.read()).done; steps++) { got += part.value.length; }
              const rest = await fetch(link, { headers: { ...headers, 'Range': 'bytes=1000-', 'If-Range': whole.headers.get('ETag') } });
              const restLength = (await rest.arrayBuffer()).byteLength;
              const refused = await fetch(gateway + '/bundle?ids=secret/a');
              const missing = await (await fetch(gateway + '/bundle?ids=secret/none', { headers })).json();
              return { planned: plan.length, length: +whole.headers.get('Content-Length') || got, got, steps, name: whole.headers.get('Content-Disposition'),
                status: rest.status, range: rest.headers.get('Content-Range'), restLength, refused: refused.status, missing: missing.errors[0].id };
            })()
            """);

        var planned = result.GetProperty("planned").GetInt64();
        Assert.Equal(planned, result.GetProperty("got").GetInt64());
        Assert.InRange(result.GetProperty("steps").GetInt32(), 2, 10_000);
        Assert.Contains("bundle.tar", result.GetProperty("name").GetString(), StringComparison.Ordinal);
        Assert.Equal(206, result.GetProperty("status").GetInt32());
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"bytes 1000-{planned - 1}/{planned}"), result.GetProperty("range").GetString());
        Assert.Equal(planned - 1000, result.GetProperty("restLength").GetInt64());
        Assert.Equal(401, result.GetProperty("refused").GetInt32());
        Assert.Equal("secret/none", result.GetProperty("missing").GetString());
    }

    private static JsonObject Policy(params string[] origins) => new() { ["Origins"] = new JsonArray([.. origins.Select(origin => (JsonNode)origin)]) };

    private JsonObject Configuration(JsonObject policy)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]), ("secret", [_upstream.Address]));
        configuration["Cors"] = new JsonObject { ["Policies"] = new JsonObject { ["app"] = policy } };
        GatewayUnderTest.Set(configuration, "Bundle:CorsPolicy", "APP");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:CorsPolicy", "app");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:secret:CorsPolicy", "app");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:secret:AuthorizationPolicy", "default");
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:web:Sha256", Download.Hash(Encoding.UTF8.GetBytes(Key)));
        return configuration;
    }

    private Task<GatewayUnderTest> StartAsync(JsonObject policy) => GatewayUnderTest.StartAsync(Configuration(policy));

    private static void Set(JsonObject configuration, string key, string value)
    {
        if (key.Split(':') is [.. var path, var index] && int.TryParse(index, CultureInfo.InvariantCulture, out var at))
        {
            var list = path.Aggregate((JsonNode)configuration, (node, name) => node[name]!).AsArray();
            if (at < list.Count)
            {
                list[at] = value;
            }
            else
            {
                list.Add(value);
            }

            return;
        }

        GatewayUnderTest.Set(configuration, key, value);
    }

    private static HttpRequestMessage Request(string method, string url, string origin)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), url);
        request.Headers.Add("Origin", origin);
        return request;
    }

    private static HttpRequestMessage Preflight(string url, string origin, string method, string headers)
    {
        var request = Request("OPTIONS", url, origin);
        request.Headers.Add("Access-Control-Request-Method", method);
        request.Headers.Add("Access-Control-Request-Headers", headers);
        return request;
    }

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(",", values) : null;
}
