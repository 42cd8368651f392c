using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Links;

/// <summary>How long, and for which clients, a link gives the rights of its creator.</summary>
public sealed class LinkRightsTests : IAsyncLifetime
{
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly string _linkKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private readonly ScriptedUpstream _upstream = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    public ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 1000, seed: 1);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData(true, 600, null, 600)]
    [InlineData(true, 600, 3600, 600)]
    [InlineData(true, 600, 60, 60)]
    [InlineData(true, 7 * 24 * 3600, null, 24 * 3600)]
    [InlineData(false, 600, null, 24 * 3600)]
    public async Task A_link_that_carries_rights_expires_no_later_than_its_creator_s_token(bool carryRights, int tokenSeconds, int? expiresIn, int seconds)
    {
        await using var gateway = await StartAsync(carryRights);
        var (now, exp) = (_time.GetUtcNow(), _time.GetUtcNow().ToUnixTimeSeconds() + tokenSeconds);

        var (status, url, expires) = await CreateAsync(gateway, exp.ToString(CultureInfo.InvariantCulture), expiresIn);

        Assert.Equal(HttpStatusCode.Created, status);
        Assert.InRange(expires, now.AddSeconds(seconds - 1), now.AddSeconds(seconds + 1));
        Assert.True(!carryRights || expires.ToUnixTimeSeconds() <= Math.Max(exp, now.ToUnixTimeSeconds() + 24 * 3600));
        Assert.Equal(carryRights ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, (await Download.GetAsync(gateway.Client, url)).Status);
        _time.Advance(TimeSpan.FromSeconds(seconds + 1));
        Assert.Equal(HttpStatusCode.Gone, (await Download.GetAsync(gateway.Client, url)).Status);
    }

    [Fact]
    public async Task A_token_that_expired_within_the_clock_skew_cannot_create_a_link_that_carries_rights()
    {
        await using var gateway = await StartAsync(carryRights: true);
        var exp = _time.GetUtcNow().AddMinutes(-2).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

        Assert.Equal(HttpStatusCode.Unauthorized, (await CreateAsync(gateway, exp, null)).Status);

        await using var other = await StartAsync(carryRights: false);
        Assert.Equal(HttpStatusCode.Created, (await CreateAsync(other, exp, null)).Status);
    }

    [Fact]
    public async Task A_link_cannot_create_another_link()
    {
        await using var gateway = await StartAsync(carryRights: true);
        var (_, url, _) = await CreateAsync(gateway, $"{_time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}", null);

        foreach (var target in new[] { url, url + "/links", "/bundle/links" })
        {
            using var made = await gateway.Client.PostAsJsonAsync(target, new { entries = new[] { new { id = "s/a" } } });
            Assert.Contains(made.StatusCode, (HttpStatusCode[])[HttpStatusCode.MethodNotAllowed, HttpStatusCode.NotFound, HttpStatusCode.Unauthorized]);
        }
    }

    [Fact]
    public async Task A_link_that_was_created_without_rights_never_gets_any()
    {
        await using var before = await StartAsync(carryRights: false);
        var (_, url, _) = await CreateAsync(before, $"{_time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}", null);

        await using var after = await StartAsync(carryRights: true);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Download.GetAsync(after.Client, url)).Status);
        var (_, other, _) = await CreateAsync(after, $"{_time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}", null);
        Assert.Equal(HttpStatusCode.OK, (await Download.GetAsync(after.Client, other)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Download.GetAsync(before.Client, other)).Status);
    }

    [Fact]
    public async Task A_signed_link_of_an_earlier_version_works_and_gives_no_rights()
    {
        var body = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(body, _time.GetUtcNow().AddHours(1).ToUnixTimeSeconds());
        using var packed = new MemoryStream();
        using (var brotli = new System.IO.Compression.BrotliStream(packed, System.IO.Compression.CompressionMode.Compress))
        {
            brotli.Write("""{"entries":[{"id":"s/a"}]}"""u8);
        }

        body = [.. body, .. packed.ToArray()];
        var url = "/bundle/links/m" + Base64Url.EncodeToString([.. body, .. HMACSHA256.HashData(Convert.FromBase64String(_linkKey), (byte[])[.. "gateway bundle link 1\0"u8, .. body])]);
        await using var gateway = await StartAsync(carryRights: true);

        Assert.Equal(HttpStatusCode.Unauthorized, (await Download.GetAsync(gateway.Client, url)).Status);
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new("Bearer", Token($"{_time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}"));
        (await Download.SendAsync(gateway.Client, request)).RequireWhole();
        Assert.Equal(HttpStatusCode.NotFound, (await Download.GetAsync(gateway.Client, url.Replace("links/m", "links/e", StringComparison.Ordinal))).Status);
    }

    private async Task<(HttpStatusCode Status, string Url, DateTimeOffset Expires)> CreateAsync(GatewayUnderTest gateway, string exp, int? expiresIn)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle/links")
        {
            Content = JsonContent.Create<object>(expiresIn is null ? new { entries = new[] { new { id = "s/a" } } } : new { expiresIn, entries = new[] { new { id = "s/a" } } }),
        };
        request.Headers.Authorization = new("Bearer", Token(exp));
        using var created = await gateway.Client.SendAsync(request);
        return created.StatusCode == HttpStatusCode.Created
            ? (created.StatusCode, created.Headers.Location!.ToString(), (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("expires").GetDateTimeOffset())
            : (created.StatusCode, "", default);
    }

    private string Token(string exp)
    {
        var body = $"{Encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}")}.{Encode($"{{\"iss\":\"tests\",\"aud\":\"gateway\",\"sub\":\"me\",\"exp\":{exp}}}")}";
        return $"{body}.{Base64Url.EncodeToString(HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes(body)))}";

        static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }

    private Task<GatewayUnderTest> StartAsync(bool carryRights)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["ReverseProxy"]!["Routes"]!["s"]!["AuthorizationPolicy"] = "default";
        configuration["Authentication"] = new JsonObject
        {
            ["Schemes"] = new JsonObject
            {
                ["Bearer"] = new JsonObject
                {
                    ["ValidAudiences"] = new JsonArray("gateway"),
                    ["ValidIssuer"] = "tests",
                    ["SigningKeys"] = new JsonArray(new JsonObject { ["Issuer"] = "tests", ["Value"] = Convert.ToBase64String(_secret) }),
                },
            },
        };
        GatewayUnderTest.Set(configuration, "Bundle:Links:CarryRights", carryRights);
        GatewayUnderTest.Set(configuration, "Bundle:Links:Keys", new[] { _linkKey });
        return GatewayUnderTest.StartAsync(configuration, builder => builder.Services.AddSingleton<TimeProvider>(_time));
    }
}
