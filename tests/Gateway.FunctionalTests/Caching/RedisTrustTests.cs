using System.Buffers.Text;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Caching;
using Gateway.Links;
using Gateway.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using Testing;

namespace Gateway.FunctionalTests.Caching;

/// <summary>Someone who can write to Redis can only make a resume slower and a link unknown.</summary>
public sealed class RedisTrustTests : IAsyncLifetime
{
    private const string Url = "/bundle?ids=s/a,s/b";
    private const int ObjectSize = 1_500_000;
    private const int Small = 300_000;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ScriptedUpstream _upstream = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private RedisServer _redis = null!;
    private ConnectionMultiplexer _connection = null!;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _connection = await ConnectionMultiplexer.ConnectAsync(_redis.ConnectionString);
        _upstream.Put("/a", ObjectSize, seed: 1);
        _upstream.Put("/b", ObjectSize, seed: 2, compressible: false);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _redis.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("&compression=small")]
    [InlineData("&format=tar.zst")]
    [InlineData("&format=zip")]
    public async Task Even_a_signed_wrong_length_never_makes_a_part_look_whole(string recipe)
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        var number = 0;
        foreach (var wrongBy in new long[] { 1 - Small, -100_000, -1, 1, 100_000 })
        {
            foreach (var (range, fromWrong) in new (string?, int?)[] { (null, null), ("bytes=1000-", null), ("bytes=500-{0}", -1), ("bytes={0}-", -1), ("bytes={0}-", 0), ("bytes={0}-", 1), ("bytes=-100", null) })
            {
                // A separate archive for each, so that none is known yet.
                _upstream.Put($"/{++number}", Small, seed: number, compressible: false);
                var url = $"/bundle?ids=s/{number}{recipe}";
                var whole = await Download.GetAsync(one.Client, url);
                await Eventually.TrueAsync(() => EndOf(whole) == whole.Bytes.Length, "the end is published");
                var wrong = whole.Bytes.Length + wrongBy;
                await SetEndAsync(whole, wrong);
                using var request = new HttpRequestMessage(HttpMethod.Get, url);
                request.Headers.TryAddWithoutValidation("Range", range is null ? null : string.Format(CultureInfo.InvariantCulture, range, wrong + fromWrong));
                if (number % 3 == 0)
                {
                    request.Headers.Add("Sec-Fetch-Mode", "no-cors");
                }

                var got = await Download.SendAsync(two.ClientOf(Ways.Protocols[number % Ways.Protocols.Length]), request);

                var what = $"length {wrong} of {whole.Bytes.Length}, {request.Headers.Range}: {(got.Head is null ? "cut" : got.Status)}, {got.Head?.Content.Headers.ContentRange}, {got.Bytes.Length} bytes, cut {got.IsCut}";
                TestContext.Current.TestOutputHelper!.WriteLine(what);
                Assert.True(got.IsCut || IsRight(got, whole.Bytes, (int)(request.Headers.Range?.Ranges.Single().From ?? 0)), what);
            }
        }
    }

    [Fact]
    public async Task After_a_wrong_length_was_detected_the_archive_is_whole_again_on_every_replica()
    {
        await using var one = await StartAsync();
        var whole = await Download.GetAsync(one.Client, Url);
        await Eventually.TrueAsync(() => EndOf(whole) == whole.Bytes.Length, "the end is published");
        await SetEndAsync(whole, 600_000);
        await using var two = await StartAsync();
        await using var three = await StartAsync();

        Assert.True((await Download.GetAsync(two.Client, Url)).IsCut);
        Assert.Equal("Upstream/ArchiveChanged", (await two.RequireOneOutcomeAsync()).Blame);
        Assert.Equal(whole.Bytes, (await Download.GetAsync(two.Client, Url)).Bytes);

        await Eventually.TrueAsync(() => EndOf(whole) == whole.Bytes.Length, "the right length is published");
        Assert.Equal(whole.Bytes, (await Download.GetAsync(three.Client, Url)).Bytes);
    }

    [Fact]
    public async Task A_digest_from_another_replica_is_verified_before_the_last_byte()
    {
        await using var one = await StartAsync();
        using var wanted = new HttpRequestMessage(HttpMethod.Get, Url);
        wanted.Headers.Add("Want-Repr-Digest", "sha-256=1");
        var whole = await Download.SendAsync(one.Client, wanted);
        var digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(whole.Bytes))}:";
        await Eventually.TrueAsync(() => EndOf(whole) == whole.Bytes.Length, "the end is published");
        await using var two = await StartAsync();
        var right = await Download.GetAsync(two.Client, Url);
        Assert.Equal(digest, right.Response.Headers.GetValues("Repr-Digest").Single());
        Assert.Equal(whole.Bytes, right.Bytes);

        await SetEndAsync(whole, whole.Bytes.Length, new byte[32]);
        await using var three = await StartAsync();
        Assert.True((await Download.GetAsync(three.Client, Url)).IsCut);
        Assert.Equal(whole.Bytes, (await Download.GetAsync(three.Client, Url)).Bytes);
    }

    [Fact]
    public async Task An_entry_that_is_not_signed_under_its_key_is_ignored()
    {
        await using var one = await StartAsync();
        var whole = await Download.GetAsync(one.Client, Url);
        var other = await Download.GetAsync(one.Client, "/bundle?ids=s/b");
        await Eventually.TrueAsync(() => EndOf(other) is not null && EndOf(whole) is not null, "both ends are published");
        var (end, length) = (EndKey(whole), BitConverter.GetBytes(600_000L));
        var valid = (byte[])(await Database.StringGetAsync(EndKey(other)))!;

        await RequireIgnoredAsync(() => Database.StringSetAsync(end, length));
        await RequireIgnoredAsync(() => Database.StringSetAsync(end, new CacheEntrySigner([new byte[32]]).Sign(end["gateway/".Length..], TimeProvider.System.GetUtcNow() + Day, length)));
        await RequireIgnoredAsync(() => Database.StringSetAsync(end, valid));
        await RequireIgnoredAsync(() => Database.StringSetAsync(end, new CacheEntrySigner([_key]).Sign(end["gateway/".Length..], TimeProvider.System.GetUtcNow() - Day, length)));
        await RequireIgnoredAsync(() => Database.StringSetAsync(end, new CacheEntrySigner([_key]).Sign(end["gateway/".Length..], TimeProvider.System.GetUtcNow() + Day, [1, 2, 3])));
        await RequireIgnoredAsync(() => Database.StringSetRangeAsync(end, (64 << 20) - 1, "x"));
        await RequireIgnoredAsync(() => Database.StringSetAsync(end, ""));
        await RequireIgnoredAsync(() => Database.HashSetAsync(end, "data", length));
        await RequireIgnoredAsync(() => Database.ListRightPushAsync(end, length));

        // Also the checkpoints of another archive.
        await Database.KeyDeleteAsync(end);
        var segment = end.Replace("/end", "/0", StringComparison.Ordinal);
        await RequireIgnoredAsync(() => Database.StringSetAsync(segment, new byte[100]));
        await RequireIgnoredAsync(() => Database.HashSetAsync(segment, "data", "x"));

        async Task RequireIgnoredAsync(Func<Task> forge)
        {
            await Database.KeyDeleteAsync([end, end.Replace("/end", "/0", StringComparison.Ordinal)]);
            await forge();
            await using var two = await StartAsync();
            using var request = new HttpRequestMessage(HttpMethod.Get, Url);
            request.Headers.Add("Range", "bytes=500000-");
            var rest = await Download.SendAsync(two.Client, request);
            Assert.Equal(whole.Bytes[500_000..], rest.Bytes);
            Assert.Null(rest.Response.Content.Headers.ContentRange!.Length);
            Assert.Equal("None/None", (await two.RequireOneOutcomeAsync()).Blame);
        }
    }

    [Fact]
    public async Task A_link_in_Redis_is_valid_only_with_a_signature_over_that_link_and_its_expiry()
    {
        await using var gateway = await StartAsync(carryRights: true, policy: true);
        var (name, token) = await CreateStoredAsync(gateway);
        var valid = (byte[])(await Database.StringGetAsync(name))!;
        Assert.InRange((await Database.KeyTimeToLiveAsync(name))!.Value, Day - TimeSpan.FromMinutes(1), Day + TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(token));

        var packed = BundleLink.Pack("""{"entries":[{"id":"s/b"}]}"""u8, carriesRights: true, etag: null);
        var forged = "s" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var (signer, later) = (new CacheEntrySigner([_key]), TimeProvider.System.GetUtcNow() + Day);
        await RequireUnknownAsync(packed);
        await RequireUnknownAsync(new CacheEntrySigner(["no key is configured"u8.ToArray()]).Sign(GetKey(forged), later, packed));
        await RequireUnknownAsync(new CacheEntrySigner([new byte[32]]).Sign(GetKey(forged), later, packed));
        await RequireUnknownAsync(valid);
        await RequireUnknownAsync(signer.Sign(GetKey(token), later, packed));
        await RequireUnknownAsync(signer.Sign(GetKey(forged), _time.GetUtcNow(), packed));
        await RequireUnknownAsync(signer.Sign(GetKey(forged), later, Bomb(1 << 30)));
        await RequireUnknownAsync(signer.Sign(GetKey(forged), later, [0, 100, 0, 0, 0, .. Bomb(1 << 20)]));
        await RequireUnknownAsync(signer.Sign(GetKey(forged), later, [0, 255, 255, 255, 127, .. Bomb(100)]));
        await RequireUnknownAsync([]);
        await Database.StringSetRangeAsync("gateway/" + GetKey(forged), (64 << 20) - 1, "x");
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(forged));

        // As earlier versions stored them.
        await Database.HashSetAsync("gateway/" + GetKey(forged).Replace("link/2/", "link/1/", StringComparison.Ordinal), "data", packed[5..]);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(forged));

        // Its expiry cannot be extended.
        await Database.KeyPersistAsync(name);
        _time.Advance(Day + TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(token));

        async Task RequireUnknownAsync(byte[] entry)
        {
            await Database.StringSetAsync("gateway/" + GetKey(forged), entry);
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(forged));
        }

        async Task<HttpStatusCode> StatusAsync(string token) => (await Download.GetAsync(gateway.Client, "/bundle/links/" + token)).Status;
    }

    [Fact]
    public async Task Links_that_carry_rights_and_Redis_need_keys()
    {
        var configuration = Configure(carryRights: true, policy: false);
        configuration["Bundle"]!["Links"]!.AsObject().Remove("Keys");

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration));

        var line = Assert.Single(fault.Faults);
        Assert.Contains("Bundle:Links:CarryRights", line, StringComparison.Ordinal);
        Assert.Contains("Bundle:Links:Keys", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_keys_Redis_is_neither_read_nor_written_and_one_warning_is_logged()
    {
        var configuration = Configure(carryRights: false, policy: false);
        configuration["Bundle"]!["Links"]!.AsObject().Remove("Keys");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var whole = await Download.GetAsync(gateway.Client, Url);
        using var created = await gateway.Client.PostAsJsonAsync("/bundle/links", Large());
        (await Download.GetAsync(gateway.Client, created.Headers.Location!.ToString())).RequireWhole();

        whole.RequireWhole();
        Assert.Equal("0", (await _redis.RunAsync("DBSIZE")).Trim());
        Assert.Single(gateway.Outcomes.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("Bundle:Links:Keys", StringComparison.Ordinal));
    }

    private IDatabase Database => _connection.GetDatabase();

    private static string GetKey(string token) => "link/2/" + Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token)));

    private static string EndKey(Download whole) => $"gateway/archive/2/{whole.Response.Headers.ETag}/end";

    /// <summary>Whether a complete response reports nothing wrong about where the archive ends.</summary>
    private static bool IsRight(Download got, byte[] whole, int from)
    {
        var range = got.Response.Content.Headers.ContentRange;
        switch ((int)got.Status)
        {
            case 200:
                return got.Bytes.AsSpan().SequenceEqual(whole);
            case 206:
                var first = (int)range!.From!.Value;
                var end = first + got.Bytes.Length;
                return end <= whole.Length
                    && got.Bytes.AsSpan().SequenceEqual(whole.AsSpan(first, got.Bytes.Length))
                    && (end == whole.Length ? range.Length is null || range.Length == end : range.Length > end);
            case 416:
                return from >= whole.Length && (range?.Length ?? whole.Length) == whole.Length;
            default:
                return (int)got.Status == 502;
        }
    }

    private static byte[] Bomb(int length)
    {
        using var packed = new MemoryStream();
        packed.Write([0, .. BitConverter.GetBytes(BundleLink.MaxManifestBytes)]);
        using (var brotli = new BrotliStream(packed, CompressionLevel.Fastest))
        {
            var zeros = new byte[Math.Min(length, 1 << 20)];
            for (var rest = length; rest > 0; rest -= zeros.Length)
            {
                brotli.Write(zeros, 0, Math.Min(rest, zeros.Length));
            }
        }

        return packed.ToArray();
    }

    private static object Large() => new
    {
        entries = Enumerable.Range(0, 60).Select(i => new { id = i % 2 == 0 ? "s/a" : "s/b", name = $"{i}/{Convert.ToHexString(RandomNumberGenerator.GetBytes(60))}", size = ObjectSize }),
    };

    private long? EndOf(Download whole)
    {
        var entry = (byte[]?)Database.StringGet(EndKey(whole));
        return new CacheEntrySigner([_key]).Open(EndKey(whole)["gateway/".Length..], entry, TimeProvider.System.GetUtcNow()) is { } value ? BitConverter.ToInt64(value) : null;
    }

    private Task<bool> SetEndAsync(Download whole, long length, byte[]? hash = null) => Database.StringSetAsync(
        EndKey(whole), new CacheEntrySigner([_key]).Sign(EndKey(whole)["gateway/".Length..], TimeProvider.System.GetUtcNow() + Day, [.. BitConverter.GetBytes(length), .. hash ?? []]));

    private static async Task<(string Key, string Token)> CreateStoredAsync(GatewayUnderTest gateway)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle/links") { Content = JsonContent.Create(Large()) };
        request.Headers.Add("Role", "reader");
        using var created = await gateway.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var token = created.Headers.Location!.ToString().Split('/')[^1];
        Assert.Equal('s', token[0]);
        return ("gateway/" + GetKey(token), token);
    }

    private Task<GatewayUnderTest> StartAsync(bool carryRights = false, bool policy = false) => GatewayUnderTest.StartAsync(Configure(carryRights, policy), builder =>
    {
        if (policy)
        {
            builder.Services.AddSingleton<TimeProvider>(_time);
            builder.Services.AddAuthentication("role").AddScheme<AuthenticationSchemeOptions, RoleHeader>("role", null);
        }
    });

    private JsonObject Configure(bool carryRights, bool policy)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["ConnectionStrings"] = new JsonObject { ["Redis"] = _redis.ConnectionString };
        GatewayUnderTest.Set(configuration, "Bundle:Links:Keys", new[] { Convert.ToBase64String(_key) });
        GatewayUnderTest.Set(configuration, "Bundle:Links:CarryRights", carryRights);
        if (policy)
        {
            configuration["ReverseProxy"]!["Routes"]!["s"]!["AuthorizationPolicy"] = "default";
        }

        return configuration;
    }
}
