using System.Net;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Status;

/// <summary><c>/status</c> of the management listener: what runs, and how an operator ends it.</summary>
public sealed class StatusTests : IAsyncLifetime
{
    private const int Size = 60_000_000;

    private readonly ScriptedUpstream _upstream = new() { Chaos = request => request.Path == "/silent" ? new Fault { Method = request.Method, After = -1, Ending = Ending.Stall } : null };
    private GatewayUnderTest _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/secret-key", new ObjectContent(Size, 1, compressible: false));
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Management:Urls", "http://127.0.0.1:0");
        _gateway = await GatewayUnderTest.StartAsync(configuration, urls: "http://127.0.0.1:0");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_running_bundle_is_shown_with_what_it_waits_for()
    {
        using var created = await _gateway.Client.PostAsync("/bundle/links", new FormUrlEncodedContent([new("ids", "s/secret-key"), new("format", "tar")]));
        var link = created.Headers.Location!.ToString();
        await using var client = await PausingClient.OpenAsync(_gateway.Addresses[0], link);

        JsonNode bundle = null!;
        await Eventually.TrueAsync(
            async () => (bundle = (await ReadAsync())["bundles"]!.AsArray().SingleOrDefault()!) is not null && (double)bundle["clientSeconds"]! > 0.2, "the bundle waits for its client");
        var text = await GetTextAsync();

        Assert.Equal(("Archive", "tar", "s", 1), ((string?)bundle["purpose"], (string?)bundle["format"], (string?)bundle["sources"]!.AsArray().Single(), (int)bundle["entries"]!));
        Assert.InRange((long)bundle["bytesOut"]!, 1, Size);
        Assert.True((double)bundle["seconds"]! >= (double)bundle["clientSeconds"]!);
        Assert.False((bool)JsonNode.Parse(text)!["draining"]!);
        Assert.DoesNotContain("secret-key", text, StringComparison.Ordinal);
        Assert.DoesNotContain(link.Split('/')[^1], text, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", text, StringComparison.Ordinal);
        (await client.TakeRestAsync()).RequireWhole();
    }

    [Fact]
    public async Task Destinations_are_shown_with_their_state()
    {
        await Download.GetAsync(_gateway.Client, "/bundle?ids=s/none");

        var destination = Assert.Single((await ReadAsync())["destinations"]!.AsArray())!;

        Assert.Equal(("s", "d0", true, false), ((string?)destination["source"], (string?)destination["name"], (bool)destination["healthy"]!, (bool)destination["breakerOpen"]!));
        Assert.Equal((1, 0), ((int)destination["answered"]!, (int)destination["failed"]!));
    }

    [Fact]
    public async Task An_operator_ends_a_bundle_and_its_client_sees_a_cut()
    {
        await using var client = await PausingClient.OpenAsync(_gateway.Addresses[0], "/bundle?ids=s/secret-key&format=tar");
        var id = await WaitForBundleAsync();

        using var ended = await EndAsync(id);

        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        (await client.TakeRestAsync()).RequireCut();
        Assert.Equal("Gateway/EndedByOperator", (await _gateway.RequireOneOutcomeAsync()).Blame);
        Assert.Empty((await ReadAsync())["bundles"]!.AsArray());
        using var again = await EndAsync(id);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task A_bundle_that_is_ended_before_its_first_byte_gets_a_503()
    {
        _upstream.Put("/silent", 1000, seed: 1);
        var download = Download.GetAsync(_gateway.Client, "/bundle?ids=s/silent&format=tar");
        var id = await WaitForBundleAsync();

        using var ended = await EndAsync(id);

        (await download).RequireEarly(503);
        Assert.Contains("An operator has ended this request.", System.Text.Encoding.UTF8.GetString((await download).Bytes), StringComparison.Ordinal);
        Assert.Equal("Gateway/EndedByOperator", (await _gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("GET", "evil.example", true, 421)]
    [InlineData("POST", "evil.example", true, 421)]
    [InlineData("POST", "127.0.0.1.evil.example", true, 421)]
    [InlineData("POST", "192.0.2.1", true, 421)]
    [InlineData("POST", null, false, 403)]
    [InlineData("POST", "localhost", true, 404)]
    [InlineData("POST", "[::1]", true, 404)]
    [InlineData("GET", "localhost", false, 200)]
    public async Task A_web_page_can_neither_read_nor_end(string method, string? host, bool hasHeader, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Inside, method == "GET" ? "/status" : "/status/bundles/none/end"));
        request.Headers.Host = host;
        request.Headers.TryAddWithoutValidation("Origin", "http://evil.example");
        if (hasHeader)
        {
            request.Headers.TryAddWithoutValidation("Gateway-Operator", "true");
        }

        using var response = await _gateway.Client.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task It_is_not_on_the_public_listener()
    {
        using var status = await _gateway.Client.GetAsync(new Uri(_gateway.Addresses[0], "/status"));
        using var end = await _gateway.Client.PostAsync(new Uri(_gateway.Addresses[0], "/status/bundles/none/end"), null);

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (status.StatusCode, end.StatusCode));
    }

    [Fact]
    public async Task A_public_route_below_the_same_path_is_served()
    {
        _upstream.Put("/page", 100, seed: 1);
        var configuration = GatewayUnderTest.Configuration(("status", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Management:Urls", "http://127.0.0.1:0");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration, urls: "http://127.0.0.1:0");

        using var outside = await gateway.Client.GetAsync(new Uri(gateway.Addresses[0], "/status/page"));
        using var inside = await gateway.Client.GetAsync(new Uri(gateway.Addresses[^1], "/status/page"));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (outside.StatusCode, inside.StatusCode));
    }

    private Uri Inside => _gateway.Addresses[^1];

    private Task<string> GetTextAsync() => _gateway.Client.GetStringAsync(new Uri(Inside, "/status"));

    private async Task<JsonNode> ReadAsync() => JsonNode.Parse(await GetTextAsync())!;

    private async Task<string> WaitForBundleAsync()
    {
        string? id = null;
        await Eventually.TrueAsync(async () => (id = (string?)(await ReadAsync())["bundles"]!.AsArray().SingleOrDefault()?["id"]) is not null, "the bundle runs");
        return id!;
    }

    private async Task<HttpResponseMessage> EndAsync(string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Inside, $"/status/bundles/{id}/end"));
        request.Headers.Add("Gateway-Operator", "true");
        return await _gateway.Client.SendAsync(request);
    }
}
