using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Gateway.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Links;

/// <summary>Links that are too long for a URL take space, and one client cannot use up that of the others.</summary>
public sealed class LinkRoomTests : IAsyncLifetime
{
    private const int LinkBytes = 100_000;

    private readonly ScriptedUpstream _upstream = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    public ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 10, seed: 1);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_over_its_share_is_rejected_and_the_links_of_others_stay(bool withRedis)
    {
        await using var redis = withRedis ? await RedisServer.StartAsync() : null;
        await using var gateway = await StartAsync(redis, max: 10 * LinkBytes, perClient: 4 * LinkBytes);
        var victim = await PostAsync(gateway, "10.0.0.1");
        Assert.Equal(HttpStatusCode.Created, victim.Status);

        var statuses = new List<HttpStatusCode>();
        TimeSpan? retryAfter = null;
        for (var i = 0; i < 30; i++)
        {
            var (status, _, after) = await PostAsync(gateway, "10.0.0.2");
            statuses.Add(status);
            retryAfter = after;
        }

        Assert.Equal([.. Enumerable.Repeat(HttpStatusCode.Created, 3), .. Enumerable.Repeat(HttpStatusCode.TooManyRequests, 27)], statuses);
        Assert.InRange(retryAfter!.Value, TimeSpan.FromHours(23), TimeSpan.FromHours(25));
        (await Download.GetAsync(gateway.Client, victim.Url!)).RequireWhole();
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(gateway, "10.0.0.3")).Status);

        // Other clients fill the rest, and then no space is left.
        var others = new List<HttpStatusCode>();
        for (var i = 0; i < 8; i++)
        {
            others.Add((await PostAsync(gateway, $"10.0.1.{i}")).Status);
        }

        Assert.Equal(4, others.Count(status => status == HttpStatusCode.Created));
        var full = await PostAsync(gateway, "10.0.2.1");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, full.Status);
        Assert.InRange(full.RetryAfter!.Value, TimeSpan.FromHours(23), TimeSpan.FromHours(25));
        (await Download.GetAsync(gateway.Client, victim.Url!)).RequireWhole();

        // Expired links free their space.
        _time.Advance(TimeSpan.FromHours(25));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.Created, (await PostAsync(gateway, "10.0.0.2")).Status);
        }
    }

    [Fact]
    public async Task Replicas_that_share_a_Redis_share_the_limits()
    {
        await using var redis = await RedisServer.StartAsync();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        await using var one = await StartAsync(redis, 10 * LinkBytes, 3 * LinkBytes, key);
        await using var two = await StartAsync(redis, 10 * LinkBytes, 3 * LinkBytes, key);

        var made = new[] { await PostAsync(one, "10.0.0.1"), await PostAsync(two, "10.0.0.1"), await PostAsync(one, "10.0.0.1"), await PostAsync(two, "10.0.0.1") };

        Assert.Equal([HttpStatusCode.Created, HttpStatusCode.Created, HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], made.Select(link => link.Status));
        (await Download.GetAsync(two.Client, made[0].Url!)).RequireWhole();
        Assert.DoesNotContain("10.0.0.1", await redis.RunAsync("--scan"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counters_in_Redis_that_are_not_numbers_reject_new_links_and_break_nothing()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var gateway = await StartAsync(redis, 10 * LinkBytes, 3 * LinkBytes);
        var first = await PostAsync(gateway, "10.0.0.1");
        foreach (var key in (await redis.RunAsync("--scan", "--pattern", "*room*")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            await redis.RunAsync("HSET", key, "x", "y");
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync(gateway, "10.0.0.1")).Status);
        (await Download.GetAsync(gateway.Client, first.Url!)).RequireWhole();
    }

    [Fact]
    public async Task A_link_larger_than_any_share_is_too_large()
    {
        await using var gateway = await StartAsync(null, 10 * LinkBytes, LinkBytes / 2 + 20_000);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync(gateway, "10.0.0.1")).Status);
    }

    [Fact]
    public async Task A_manifest_that_becomes_too_long_in_storage_gets_no_link()
    {
        await using var gateway = await StartAsync(null, 64 << 20, 16 << 20);

        // Private-use characters are escaped: 3 bytes become 6.
        var name = string.Join('/', Enumerable.Repeat(new string('\uE000', 80), 16));
        var json = $$"""{"entries":[{{string.Join(',', Enumerable.Range(0, 2000).Select(i => $$"""{"id":"s/a","name":"{{i}}/{{name}}"}"""))}}]}""";
        using var content = new StringContent(json, new MediaTypeHeaderValue("application/json"));
        using var made = await gateway.Client.PostAsync("/bundle/links", content);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, made.StatusCode);
    }

    [Theory]
    [InlineData("MaxBytes", 65_535)]
    [InlineData("MaxBytesPerClient", 65_535)]
    [InlineData("MaxBytes", 1 << 20)]
    [InlineData("MaxBytesPerClient", 1 << 30)]
    public async Task Contradictory_limits_prevent_the_start(string key, long value)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Links:" + key, value);

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration));

        Assert.Contains("MaxBytes", fault.Message, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Status, string? Url, TimeSpan? RetryAfter)> PostAsync(GatewayUnderTest gateway, string client)
    {
        // Hexadecimal digits compress to half their length.
        var manifest = new { entries = Enumerable.Range(0, 1000).Select(i => new { id = "s/a", name = $"{i}/{Convert.ToHexString(RandomNumberGenerator.GetBytes(92))}" }) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle/links") { Content = JsonContent.Create(manifest) };
        request.Headers.Add("X-Forwarded-For", client);
        using var made = await gateway.Client.SendAsync(request);
        return (made.StatusCode, made.Headers.Location?.ToString(), made.Headers.RetryAfter?.Delta);
    }

    private Task<GatewayUnderTest> StartAsync(RedisServer? redis, long max, long perClient, string? key = null)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Links:MaxBytes", max);
        GatewayUnderTest.Set(configuration, "Bundle:Links:MaxBytesPerClient", perClient);
        configuration["Proxies"] = new JsonArray("127.0.0.1");
        if (redis is not null)
        {
            configuration["ConnectionStrings"] = new JsonObject { ["Redis"] = redis.ConnectionString };
            GatewayUnderTest.Set(configuration, "Bundle:Links:Keys", new[] { key ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) });
        }

        return GatewayUnderTest.StartAsync(configuration, builder => builder.Services.AddSingleton<TimeProvider>(_time));
    }
}
