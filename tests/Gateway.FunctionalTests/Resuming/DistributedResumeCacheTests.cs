using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Gateway.Caching;
using StackExchange.Redis;
using Testing;

namespace Gateway.FunctionalTests.Resuming;

/// <summary>One replica resumes what another began, through a real redis-server.</summary>
public sealed class DistributedResumeCacheTests : IAsyncLifetime
{
    private const int Objects = 8;
    private const int ObjectSize = 2_500_000;
    private const int Interval = 4 << 20;
    private const int Block = 512 << 10;

    private static readonly string Bundle = "/bundle?ids=" + string.Join(',', Enumerable.Range(0, Objects).Select(i => $"s/e{i}"));

    private readonly ScriptedUpstream _upstream = new();
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private RedisServer? _redis;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        for (var i = 0; i < Objects; i++)
        {
            _upstream.Put($"/e{i}", ObjectSize + i, seed: i, compressible: i % 2 == 0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _upstream.DisposeAsync();
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("&compression=small")]
    [InlineData("&format=tar.zst")]
    [InlineData("&format=zip")]
    [InlineData("&format=zip&compression=store")]
    public async Task A_replica_resumes_another_replica_s_archive_at_the_last_checkpoint(string recipe)
    {
        await using var one = await StartAsync();
        var whole = await Download.GetAsync(one.Client, Bundle + recipe);
        await EndToldAsync();

        foreach (var part in new[] { 0.35, 0.9 })
        {
            await using var two = await StartAsync();
            var from = (int)(whole.Bytes.Length * part);
            var before = _upstream.BodyBytes;
            var rest = await GetAsync(two, Bundle + recipe, from);

            Assert.Equal(whole.Bytes[from..], rest.Bytes);
            Assert.Equal(whole.Bytes.Length, rest.Response.Content.Headers.ContentRange!.Length);
            Assert.InRange(_upstream.BodyBytes - before, 1, (long)(Objects * ObjectSize * (1 - part)) + Interval + Block + ObjectSize);
        }
    }

    [Fact]
    public async Task A_resumed_download_can_be_resumed_again()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        var whole = await Download.GetAsync(one.Client, Bundle + "&format=zip");
        await EndToldAsync();
        var half = await GetAsync(two, Bundle + "&format=zip", whole.Bytes.Length / 2);
        await using var three = await StartAsync();

        var rest = await GetAsync(three, Bundle + "&format=zip", (whole.Bytes.Length / 2) + 1000);

        Assert.Equal(half.Bytes[1000..], rest.Bytes);
        Assert.Equal(whole.Bytes[(whole.Bytes.Length / 2)..], half.Bytes);
    }

    [Fact]
    public async Task Without_Redis_resuming_is_slower_and_one_warning_is_logged()
    {
        await _redis!.StopAsync();
        await using var one = await StartAsync();
        await using var two = await StartAsync();

        var whole = await Download.GetAsync(one.Client, Bundle);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(whole.Bytes[5_000_000..], (await GetAsync(two, Bundle, 5_000_000)).Bytes);
        }

        foreach (var gateway in new[] { one, two })
        {
            Assert.Equal(1, Warnings(gateway));
        }

        await _redis.StartAgainAsync();
    }

    [Fact]
    public async Task Redis_is_used_again_once_it_is_available()
    {
        await using var one = await StartAsync();
        await _redis!.StopAsync();
        await Download.GetAsync(one.Client, Bundle + "&name=away");
        await Eventually.TrueAsync(() => Warnings(one) == 1, "the warning");
        await _redis.StartAgainAsync();

        await Eventually.TrueAsync(
            () =>
            {
                _upstream.Put("/e0", ObjectSize, seed: Random.Shared.Next());
                return Download.GetAsync(one.Client, Bundle).GetAwaiter().GetResult().Bytes.Length > 0
                    && one.Outcomes.Lines.Any(line => line.StartsWith("Information Gateway.Resuming", StringComparison.Ordinal));
            },
            "the cache is available");
        Assert.Equal(1, Warnings(one));
    }

    [Fact]
    public async Task Checkpoints_of_another_archive_are_rejected_and_the_bytes_are_correct()
    {
        await using var one = await StartAsync();
        var whole = await Download.GetAsync(one.Client, Bundle);
        var key = await EndToldAsync();
        await PoisonAsync(whole.Response.Headers.ETag!.ToString());
        await using var two = await StartAsync();

        var rest = await GetAsync(two, Bundle, 9_000_000);

        Assert.Equal(whole.Bytes[9_000_000..], rest.Bytes);
        Assert.Contains(two.Outcomes.Lines, line => line.StartsWith("Warning Gateway.Streaming.RangeStreamer", StringComparison.Ordinal) && line.Contains("does not match it", StringComparison.Ordinal));

        // Garbage is ignored.
        await _redis!.RunAsync("SET", key.Replace("/end", "/0", StringComparison.Ordinal), "rubbish");
        await using var three = await StartAsync();
        Assert.Equal(whole.Bytes[9_000_000..], (await GetAsync(three, Bundle, 9_000_000)).Bytes);
    }

    [Fact]
    public async Task A_storage_failure_after_a_rejected_checkpoint_is_a_problem_document_that_names_the_entry()
    {
        await using var one = await StartAsync();
        var whole = await Download.GetAsync(one.Client, Bundle);
        var end = await EndToldAsync();
        await Download.GetAsync(one.Client, Bundle.Replace("s/e0,", "", StringComparison.Ordinal));
        await Eventually.TrueAsync(() => Keys("*/0").Length == 2 && Keys("*/end").Length == 2, "both are published");
        await using var two = await StartAsync();
        _upstream.Fail("/e0", new Fault { Status = 500, Times = 100 });
        await PoisonAsync(whole.Response.Headers.ETag!.ToString());

        var refused = await GetAsync(two, Bundle, whole.Bytes.Length * 3 / 4);

        refused.RequireEarly(502);
        Assert.Contains("s/e0", System.Text.Encoding.UTF8.GetString(refused.Bytes), StringComparison.Ordinal);
        Assert.NotEmpty(end);
    }

    /// <summary>Changes the block before every checkpoint, signed like the gateway's own entries.</summary>
    private async Task PoisonAsync(string etag)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(_redis!.ConnectionString);
        var (signer, key, cache) = (new CacheEntrySigner([_key]), $"archive/2/{etag}/0", connection.GetDatabase());
        var segment = signer.Open(key, await cache.StringGetAsync("gateway/" + key), TimeProvider.System.GetUtcNow())!;
        for (var i = 0; i < BitConverter.ToInt32(segment); i++)
        {
            segment[sizeof(int) + (i * 24) + 20] ^= 1;
        }

        await cache.StringSetAsync("gateway/" + key, signer.Sign(key, TimeProvider.System.GetUtcNow().AddDays(1), segment));
    }

    private static int Warnings(GatewayUnderTest gateway) =>
        gateway.Outcomes.Lines.Count(line => line.StartsWith("Warning Gateway.Resuming", StringComparison.Ordinal));

    private static async Task<Download> GetAsync(GatewayUnderTest gateway, string url, long from)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(from, null);
        return await Download.SendAsync(gateway.Client, request);
    }

    private string[] Keys(string pattern) =>
        _redis!.RunAsync("--scan", "--pattern", pattern).GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The key of an archive's end, which is published last.</summary>
    private async Task<string> EndToldAsync()
    {
        await Eventually.TrueAsync(() => Keys("*/end").Length == 1, "the archive's end is published");
        return Keys("*/end").Single();
    }

    private Task<GatewayUnderTest> StartAsync()
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["ConnectionStrings"] = new JsonObject { ["Redis"] = _redis!.ConnectionString };
        GatewayUnderTest.Set(configuration, "Bundle:Links:Keys", new[] { Convert.ToBase64String(_key) });
        return GatewayUnderTest.StartAsync(configuration);
    }
}
