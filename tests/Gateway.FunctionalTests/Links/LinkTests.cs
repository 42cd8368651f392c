using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Links;

/// <summary>A bundle with its own URL.</summary>
public sealed class LinkTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private readonly FakeTimeProvider _time = new(new(2026, 11, 24, 0, 0, 0, TimeSpan.Zero));
    private GatewayUnderTest _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 300_000, seed: 1);
        _upstream.Put("/b", 1000, seed: 2);
        _gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(400)]
    public async Task A_link_serves_the_bundle_with_conditions_and_ranges_to_real_clients(int more)
    {
        object[] entries =
        [
            new { id = "s/a", name = "first" }, new { id = "s/b" },
            .. Enumerable.Range(0, more).Select(i => Entry(i)),
        ];
        var manifest = new { format = "tar", name = "mine", entries };
        var (url, expires) = await CreateAsync(_gateway, manifest);
        Assert.InRange(expires, TimeProvider.System.GetUtcNow().AddHours(23), TimeProvider.System.GetUtcNow().AddHours(25));
        Assert.InRange(url.Length, 30, 2000);

        using var direct = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = JsonContent.Create(manifest) };
        var expected = await Download.SendAsync(_gateway.Client, direct);
        var whole = await Download.GetAsync(_gateway.Client, url);
        Assert.Equal(2 + more, whole.RequireWhole().Count);
        Assert.Equal(expected.Bytes, whole.Bytes);
        Assert.Equal(expected.Response.Headers.ETag, whole.Response.Headers.ETag);
        Assert.Equal("mine.tar", whole.Response.Content.Headers.ContentDisposition!.FileName!.Trim('"'));

        using var head = await _gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, url));
        Assert.Equal(whole.Bytes.Length, head.Content.Headers.ContentLength);
        using var conditional = new HttpRequestMessage(HttpMethod.Get, url);
        conditional.Headers.IfNoneMatch.Add(whole.Response.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await _gateway.Client.SendAsync(conditional)).StatusCode);

        var file = Path.GetTempFileName();
        foreach (var (client, arguments) in new (string, string[])[] { ("curl", ["-sS", "-C", "-", "-o", file]), ("wget", ["-q", "-c", "-O", file]) })
        {
            await File.WriteAllBytesAsync(file, whole.Bytes[..100_000], TestContext.Current.CancellationToken);
            var result = await Tool.RunAsync(client, [.. arguments, new Uri(_gateway.Address, url).ToString()]);
            Assert.True(result.ExitCode == 0, result.Error);
            Assert.Equal(whole.Bytes, await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        }

        File.Delete(file);

        object Entry(int i)
        {
            _upstream.Put($"/many/{i}", 10, seed: i);
            return new { id = $"s/many/{i}", name = $"many/{Convert.ToHexString(SHA256.HashData([(byte)i, (byte)(i >> 8)]))}" };
        }
    }

    [Fact]
    public async Task Links_of_one_replica_work_on_others_with_the_same_keys_and_keys_can_be_rotated()
    {
        var (old, next) = (Secret(), Secret());
        await using var one = await StartAsync(old);
        await using var two = await StartAsync(next, old);
        await using var three = await StartAsync(next);
        var manifest = new { entries = new[] { new { id = "s/a" } } };
        var (oldUrl, _) = await CreateAsync(one, manifest);
        var (newUrl, _) = await CreateAsync(two, manifest);

        (await Download.GetAsync(two.Client, oldUrl)).RequireWhole();
        (await Download.GetAsync(three.Client, newUrl)).RequireWhole();
        (await Download.GetAsync(three.Client, oldUrl)).RequireEarly(404);
        (await Download.GetAsync(one.Client, newUrl)).RequireEarly(404);
    }

    [Fact]
    public async Task With_Redis_long_links_work_on_every_replica_and_while_it_is_unavailable_clients_get_Retry_After()
    {
        await using var redis = await RedisServer.StartAsync();
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["ConnectionStrings"] = new JsonObject { ["Redis"] = redis.ConnectionString };
        GatewayUnderTest.Set(configuration, "Bundle:Links:Keys", new[] { Secret() });
        await using var one = await GatewayUnderTest.StartAsync((JsonObject)configuration.DeepClone());
        await using var two = await GatewayUnderTest.StartAsync((JsonObject)configuration.DeepClone());
        var manifest = new { entries = Enumerable.Range(0, 100).Select(i => new { id = "s/b", name = $"{i}/{Convert.ToHexString(SHA256.HashData([(byte)i]))}" }).ToArray() };
        var (url, _) = await CreateAsync(one, manifest);

        Assert.Equal(100, (await Download.GetAsync(two.Client, url)).RequireWhole().Count);
        var token = url[(url.LastIndexOf('/') + 1)..];
        Assert.Equal('s', token[0]);
        Assert.DoesNotContain(token, await redis.RunAsync("--scan"), StringComparison.Ordinal);

        await redis.StopAsync();
        (await Download.GetAsync(two.Client, url)).RequireEarly(503);
        using var refused = await two.Client.PostAsJsonAsync("/bundle/links", manifest);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        await redis.StartAgainAsync();
    }

    [Fact]
    public async Task A_link_expires_at_the_requested_time()
    {
        await using var gateway = await StartAsync(Secret());
        var (url, expires) = await CreateAsync(gateway, new { expiresIn = 60, entries = new[] { new { id = "s/a" } } });
        Assert.Equal(_time.GetUtcNow().AddSeconds(60), expires);

        _time.Advance(TimeSpan.FromSeconds(59));
        (await Download.GetAsync(gateway.Client, url)).RequireWhole();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await Download.GetAsync(gateway.Client, url)).RequireEarly(410);
    }

    [Theory]
    [InlineData("{\"expiresIn\":0,\"entries\":[{\"id\":\"s/a\"}]}")]
    [InlineData("{\"expiresIn\":86401,\"entries\":[{\"id\":\"s/a\"}]}")]
    [InlineData("{\"entries\":[{\"id\":\"../a\"}]}")]
    [InlineData("{\"entries\":[{\"id\":\"none/a\"}]}")]
    [InlineData("{\"entries\":[]}")]
    [InlineData("{\"format\":\"rar\",\"entries\":[{\"id\":\"s/a\"}]}")]
    public async Task An_invalid_bundle_gets_no_link(string manifest)
    {
        using var content = new StringContent(manifest, new MediaTypeHeaderValue("application/json"));

        using var answer = await _gateway.Client.PostAsync("/bundle/links", content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("Client/InvalidRequest", (await _gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("m")]
    [InlineData("e")]
    [InlineData("s")]
    [InlineData("x")]
    [InlineData("mAAAA")]
    [InlineData("eAAAA")]
    [InlineData("s%2e%2e")]
    [InlineData("sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("s%C3%A9AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("mAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task An_invalid_link_is_not_found(string token) =>
        (await Download.GetAsync(_gateway.Client, "/bundle/links/" + token)).RequireEarly(404);

    [Fact]
    public async Task A_link_accepts_no_parameters_and_a_bundle_no_expiry()
    {
        var (url, _) = await CreateAsync(_gateway, new { entries = new[] { new { id = "s/a" } } });

        (await Download.GetAsync(_gateway.Client, url + "?format=zip")).RequireEarly(400);
        (await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a&expiresIn=5")).RequireEarly(400);
    }

    [Theory]
    [InlineData(false, 401)]
    [InlineData(true, 200)]
    public async Task A_link_carries_rights_only_if_the_operator_permits_it(bool carryRights, int status)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["ReverseProxy"]!["Routes"]!["s"]!["AuthorizationPolicy"] = "default";
        GatewayUnderTest.Set(configuration, "Bundle:Links:CarryRights", carryRights);
        await using var gateway = await GatewayUnderTest.StartAsync(configuration, builder =>
            builder.Services.AddAuthentication("role").AddScheme<AuthenticationSchemeOptions, RoleHeader>("role", null));
        using var anonymous = await gateway.Client.PostAsJsonAsync("/bundle/links", new { entries = new[] { new { id = "s/a" } } });
        Assert.Equal(HttpStatusCode.Unauthorized, anonymous.StatusCode);

        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle/links") { Content = JsonContent.Create(new { entries = new[] { new { id = "s/a" } } }) };
        request.Headers.Add("Role", "reader");
        using var created = await gateway.Client.SendAsync(request);

        Assert.Equal(status, (int)(await Download.GetAsync(gateway.Client, created.Headers.Location!.ToString())).Status);
    }

    [Fact]
    public async Task A_form_can_create_a_link_too()
    {
        using var form = new FormUrlEncodedContent([new("ids", "s/a\r\ns/b"), new("format", "zip"), new("expiresIn", "30")]);

        using var created = await _gateway.Client.PostAsync("/bundle/links", form);

        Assert.Equal(2, (await Download.GetAsync(_gateway.Client, created.Headers.Location!.ToString())).RequireWhole().Count);
    }

    private static string Secret() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static async Task<(string Url, DateTimeOffset Expires)> CreateAsync(GatewayUnderTest gateway, object manifest)
    {
        using var created = await gateway.Client.PostAsJsonAsync("/bundle/links", manifest);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.True(created.Headers.CacheControl!.NoStore);
        var document = (await created.Content.ReadFromJsonAsync<JsonElement>())!;
        Assert.Equal(created.Headers.Location!.ToString(), document.GetProperty("url").GetString());
        return (created.Headers.Location.ToString(), document.GetProperty("expires").GetDateTimeOffset());
    }

    private Task<GatewayUnderTest> StartAsync(params string[] keys)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Links:Keys", keys);
        return GatewayUnderTest.StartAsync(configuration, builder => builder.Services.AddSingleton<TimeProvider>(_time));
    }
}
