using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Responses;

/// <summary>Conditions of requests (RFC 9110, section 13): for bundles, links, plans, HEAD, and objects of folders.</summary>
public sealed class ConditionTests : IAsyncLifetime
{
    private const int Size = 300_000;
    private const int Resumed = 350_000;
    private const string Tar = "/bundle?format=tar&ids=s/a,s/b";
    private const string Plan = "/bundle/plan?format=tar&ids=s/a,s/b";
    private static readonly DateTime Modified = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-conditions-");
    private GatewayUnderTest _gateway = null!;

    public static TheoryData<string, string> Doors => new(
        from door in new[] { "bundle", "link", "pinned link" }
        from date in new[] { "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 02 Jan 2026 03:04:04 GMT", "Fri, 02 Jan 2026 03:04:06 GMT", "Sat, 01 Jan 2050 00:00:00 GMT" }
        select (door, date));

    public async ValueTask InitializeAsync()
    {
        Write(version: 1, Modified);
        _gateway = await GatewayUnderTest.StartAsync("file:" + _folder.FullName + "/");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_range_with_another_date_than_that_of_the_archive_is_412(string door, string date)
    {
        var url = await UrlOfAsync(door);
        await SendAsync(url, door);

        var resumed = await SendAsync(url, door, ("Range", $"bytes={Resumed}-"), ("If-Unmodified-Since", date));

        Assert.Equal(HttpStatusCode.PreconditionFailed, resumed.Status);
    }

    [Theory]
    [InlineData("bundle")]
    [InlineData("link")]
    public async Task Objects_rewritten_in_the_same_size_are_never_joined_with_the_old_ones(string door)
    {
        // Windows' BITS resumes like this: with only the date.
        var url = await UrlOfAsync(door);
        var old = await SendAsync(url, door);
        var date = old.Response.Content.Headers.LastModified!.Value.ToString("R");
        (string, string)[] asBits = [("Range", $"bytes={Resumed}-"), ("If-Unmodified-Since", date)];

        // Nothing has changed, and no other version had this date: the remainder.
        var rest = await SendAsync(url, door, asBits);
        Assert.Equal(HttpStatusCode.PartialContent, rest.Status);
        Assert.Equal(old.Bytes[Resumed..], rest.Bytes);

        // Another date.
        Write(version: 2, Modified.AddSeconds(10));
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(url, door, asBits)).Status);

        // The same date, another version: the whole archive, once before it was sent and once after.
        Write(version: 3, Modified);
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var whole = await SendAsync(url, door, asBits);
            Assert.Equal(HttpStatusCode.OK, whole.Status);
            Assert.Equal(Content(3, "a"), whole.RequireWhole()["s/a"]);
            Assert.NotEqual(old.Response.Headers.ETag, whole.Response.Headers.ETag);
        }
    }

    [Fact]
    public async Task A_date_of_an_archive_that_was_never_sent_proves_nothing()
    {
        using var head = await _gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, Tar));
        var date = head.Content.Headers.LastModified!.Value.ToString("R");

        Assert.Equal(HttpStatusCode.OK, (await SendAsync(Tar, "bundle", ("Range", "bytes=5-"), ("If-Unmodified-Since", date))).Status);
    }

    [Theory]
    [InlineData("If-Match: @etag", "", 206)]
    [InlineData("If-Match: \"x\"", "", 412)]
    [InlineData("If-Match: \"x\", @etag", "", 206)]
    [InlineData("If-Match: *", "", 206)]
    [InlineData("If-Match: W/@etag", "", 412)]
    [InlineData("If-Match: nonsense", "", 412)]
    [InlineData("If-Match: @etag", "If-Unmodified-Since: @old", 206)] // If-Match decides alone
    [InlineData("If-Match: \"x\"", "If-Unmodified-Since: @date", 412)]
    [InlineData("If-Unmodified-Since: @date", "", 206)]
    [InlineData("If-Unmodified-Since: nonsense", "", 200)]
    [InlineData("If-Unmodified-Since: @date", "If-None-Match: @etag", 304)]
    [InlineData("If-Unmodified-Since: @old", "If-None-Match: @etag", 412)]
    [InlineData("If-Unmodified-Since: @date", "If-Range: \"x\"", 200)]
    [InlineData("If-Unmodified-Since: @date", "If-Range: @etag", 206)]
    [InlineData("If-None-Match: @etag", "", 304)]
    [InlineData("If-None-Match: W/@etag", "", 304)]
    [InlineData("If-None-Match: *", "", 304)]
    [InlineData("If-None-Match: \"x\"", "", 200)] // the client has another version
    [InlineData("If-None-Match: \"x\"", "If-Range: @etag", 206)]
    [InlineData("If-None-Match: \"x\"", "If-Modified-Since: @date", 200)] // If-None-Match decides alone
    [InlineData("If-None-Match: @etag", "If-Modified-Since: @old", 304)]
    [InlineData("If-Modified-Since: @date", "", 304)]
    [InlineData("If-Modified-Since: @old", "", 200)]
    [InlineData("If-Modified-Since: nonsense", "", 200)]
    [InlineData("If-Match: @etag", "If-None-Match: @etag", 304)]
    [InlineData("If-Match: @etag", "If-None-Match: \"x\"", 206)]
    [InlineData("If-Range: @etag", "", 206)]
    [InlineData("If-Range: \"x\"", "", 200)]
    [InlineData("If-Range: W/@etag", "", 200)]
    [InlineData("If-Range: @date", "", 200)]
    [InlineData("If-Range: @old", "", 200)]
    public async Task Conditions_are_evaluated_in_the_order_of_the_standard(string first, string second, int status)
    {
        var whole = await SendAsync(Tar, "bundle");
        var (etag, date) = (whole.Response.Headers.ETag!.ToString(), whole.Response.Content.Headers.LastModified!.Value.ToString("R"));
        (string, string)[] conditions = [.. new[] { first, second }.Where(line => line.Length > 0).Select(line => Header(line, etag, date))];

        foreach (var protocol in Matrix.Of(full: Ways.Protocols, reduced: [Protocol.Http1]))
        {
            var part = await SendAsync(_gateway.ClientOf(protocol), Tar, HttpMethod.Get, [("Range", "bytes=1000-"), .. conditions]);
            Assert.Equal(status, (int)part.Status);
            Assert.Equal(status switch { 206 => whole.Bytes[1000..], 200 => whole.Bytes, _ => null }, status is 200 or 206 ? part.Bytes : null);
        }

        // Without a range, and for HEAD, which has none: 200 instead of 206.
        var plain = status == 206 ? 200 : status;
        if (!first.Contains("@old", StringComparison.Ordinal) || first.StartsWith("If-Unmodified", StringComparison.Ordinal))
        {
            Assert.Equal(plain, (int)(await SendAsync(Tar, "bundle", conditions)).Status);
            Assert.Equal(plain, (int)(await SendAsync(_gateway.Client, Tar, HttpMethod.Head, [("Range", "bytes=1000-"), .. conditions])).Status);
        }
    }

    [Fact]
    public async Task A_later_date_satisfies_the_condition_for_a_whole_archive()
    {
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(Tar, "bundle", ("If-Unmodified-Since", "Sat, 01 Jan 2050 00:00:00 GMT"))).Status);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(Tar, "bundle", ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"))).Status);
    }

    [Fact]
    public async Task A_plan_has_a_weak_validator_and_the_conditions_of_its_bundle()
    {
        var whole = await SendAsync(Tar, "bundle");
        var etag = whole.Response.Headers.ETag!.ToString();
        var plan = await SendAsync(Plan, "bundle");
        Assert.Equal("W/" + etag, plan.Response.Headers.ETag!.ToString());
        Assert.Equal(whole.Response.Content.Headers.LastModified, plan.Response.Content.Headers.LastModified);

        Assert.Equal(HttpStatusCode.NotModified, (await SendAsync(Plan, "bundle", ("If-None-Match", "W/" + etag))).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(Plan, "bundle", ("If-None-Match", "\"x\""))).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(Plan, "bundle", ("If-Match", etag))).Status);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(Plan, "bundle", ("If-Match", "\"x\""))).Status);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(Plan, "bundle", ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"))).Status);
    }

    [Theory]
    [InlineData("If-Match", "@etag", 200)]
    [InlineData("If-Match", "\"x\"", 412)]
    [InlineData("If-None-Match", "@etag", 412)]
    [InlineData("If-None-Match", "\"x\"", 200)]
    [InlineData("If-Unmodified-Since", "@old", 412)]
    [InlineData("If-Unmodified-Since", "@date", 200)]
    [InlineData("If-Modified-Since", "@date", 200)] // of GET and HEAD only
    public async Task A_POST_has_conditions_too(string header, string value, int status)
    {
        var whole = await SendAsync(Tar, "POST");
        var (_, filled) = Header($"{header}: {value}", whole.Response.Headers.ETag!.ToString(), whole.Response.Content.Headers.LastModified!.Value.ToString("R"));

        Assert.Equal(status, (int)(await SendAsync(Tar, "POST", (header, filled))).Status);
    }

    [Theory]
    [InlineData("If-Match: @etag", 206)]
    [InlineData("If-Match: \"x\"", 412)]
    [InlineData("If-Unmodified-Since: @date", 200)] // two changes within a second have the same date
    [InlineData("If-Unmodified-Since: @old", 412)]
    [InlineData("If-Unmodified-Since: Sat, 01 Jan 2050 00:00:00 GMT", 412)]
    [InlineData("If-None-Match: @etag", 304)]
    [InlineData("If-None-Match: \"x\"", 200)]
    [InlineData("If-Modified-Since: @date", 304)]
    [InlineData("If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT", 304)]
    [InlineData("If-Modified-Since: @old", 200)]
    [InlineData("If-Range: @etag", 206)]
    [InlineData("If-Range: @date", 200)]
    [InlineData("If-Range: @old", 200)]
    public async Task An_object_of_a_folder_has_the_same_conditions(string condition, int status)
    {
        var whole = await SendAsync("/s/a", "bundle");
        var header = Header(condition, whole.Response.Headers.ETag!.ToString(), whole.Response.Content.Headers.LastModified!.Value.ToString("R"));

        var part = await SendAsync("/s/a", "bundle", ("Range", "bytes=1000-"), header);

        Assert.Equal(status, (int)part.Status);
        Assert.Equal(status switch { 206 => whole.Bytes[1000..], 200 => whole.Bytes, _ => [] }, part.Bytes);
        if (status is 304 or 412)
        {
            Assert.Equal(whole.Response.Headers.ETag, part.Response.Headers.ETag);
        }

        if (status == 304)
        {
            Assert.Equal(status, (int)(await SendAsync(_gateway.Client, "/s/a", HttpMethod.Head, [("Range", "bytes=1-"), header])).Status);
        }
    }

    [Theory]
    [InlineData("{\"format\":\"tar\",\"pin\":true,\"entries\":[{\"id\":\"s/a\"},{\"id\":\"s/b\"}]}", "application/json")]
    [InlineData("format=tar&pin=true&ids=s/a,s/b", "application/x-www-form-urlencoded")]
    public async Task A_pinned_link_serves_only_its_version(string body, string type)
    {
        var expected = await SendAsync(Tar, "bundle");
        using var created = await _gateway.Client.PostAsync("/bundle/links", new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue(type)));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(expected.Response.Headers.ETag!.ToString(), (await created.Content.ReadFromJsonAsync<JsonObject>())!["etag"]!.GetValue<string>());
        var url = created.Headers.Location!.ToString();

        var whole = await SendAsync(url, "bundle");
        Assert.Equal(expected.Bytes, whole.Bytes);

        // Like curl -C - and wget -c, without any validator.
        Assert.Equal(expected.Bytes[Resumed..], (await SendAsync(url, "bundle", ("Range", $"bytes={Resumed}-"))).Bytes);

        Write(version: 2, Modified);
        foreach (var headers in new (string, string)[][] { [], [("Range", $"bytes={Resumed}-")], [("If-None-Match", expected.Response.Headers.ETag.ToString())] })
        {
            var refused = await SendAsync(url, "bundle", headers);
            refused.RequireEarly(412);
            Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(_gateway.Client, url, HttpMethod.Head, headers)).Status);
        }
    }

    [Theory]
    [InlineData("{\"pin\":true,\"missing\":\"abort\",\"entries\":[{\"id\":\"s/a\"}]}", 400)]
    [InlineData("{\"pin\":true,\"entries\":[{\"id\":\"s/a\"},{\"id\":\"s/none\"}]}", 404)]
    [InlineData("{\"pin\":true,\"entries\":[{\"id\":\"s/a\",\"size\":1}]}", 409)]
    [InlineData("{\"pin\":1,\"entries\":[{\"id\":\"s/a\"}]}", 400)]
    public async Task A_link_that_cannot_be_pinned_is_not_created(string body, int status)
    {
        using var response = await _gateway.Client.PostAsync("/bundle/links", new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")));

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_pinned_link_may_omit_missing_objects_and_then_always_omits_them()
    {
        using var created = await _gateway.Client.PostAsJsonAsync("/bundle/links", new { pin = true, missing = "skip", entries = new[] { new { id = "s/a" }, new { id = "s/c" } } });
        var url = created.Headers.Location!.ToString();
        Assert.Equal("s/a", Assert.Single((await SendAsync(url, "bundle")).RequireWhole()).Key);

        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "c"), "new");

        Assert.Equal(HttpStatusCode.PreconditionFailed, (await SendAsync(url, "bundle")).Status);
    }

    [Fact]
    public async Task Objects_without_strong_validators_cannot_be_pinned_and_are_listed()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(1000, 1), etag: null);
        upstream.Put("/b", 1000, seed: 2);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        using var response = await gateway.Client.PostAsJsonAsync("/bundle/links", new { pin = true, entries = new[] { new { id = "s/b" }, new { id = "s/a" } } });

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        var error = Assert.Single((await response.Content.ReadFromJsonAsync<JsonObject>())!["errors"]!.AsArray())!;
        Assert.Equal("s/a", error["id"]!.GetValue<string>());
    }

    [Fact]
    public async Task Only_a_link_can_be_pinned()
    {
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(Tar + "&pin=true", "bundle")).Status);
        using var response = await _gateway.Client.PostAsJsonAsync("/bundle", new { pin = true, entries = new[] { new { id = "s/a" } } });
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private static byte[] Content(int version, string name) => new ObjectContent(Size, (10 * version) + name[0], compressible: false).ToArray();

    private static (string Name, string Value) Header(string line, string etag, string date)
    {
        var (name, value) = line.Split(": ", 2) is [var n, var v] ? (n, v) : throw new ArgumentException(line);
        return (name, value
            .Replace("@etag", etag, StringComparison.Ordinal)
            .Replace("@date", date, StringComparison.Ordinal)
            .Replace("@old", "Mon, 01 Jan 2001 00:00:00 GMT", StringComparison.Ordinal));
    }

    private void Write(int version, DateTime modified)
    {
        foreach (var name in new[] { "a", "b" })
        {
            var path = Path.Combine(_folder.FullName, name);
            File.WriteAllBytes(path, Content(version, name));

            // Only the header's precision is equal: the objects' own validators differ.
            File.SetLastWriteTimeUtc(path, modified.AddMilliseconds(version));
        }
    }

    private async Task<string> UrlOfAsync(string door)
    {
        if (!door.EndsWith("link", StringComparison.Ordinal))
        {
            return Tar;
        }

        using var created = await _gateway.Client.PostAsJsonAsync(
            "/bundle/links", new { format = "tar", pin = door.StartsWith("pinned", StringComparison.Ordinal), entries = new[] { new { id = "s/a" }, new { id = "s/b" } } });
        return created.Headers.Location!.ToString();
    }

    private Task<Download> SendAsync(string url, string door, params (string Name, string Value)[] headers) =>
        SendAsync(_gateway.Client, door == "POST" ? "/bundle" : url, door == "POST" ? HttpMethod.Post : HttpMethod.Get, headers);

    private static async Task<Download> SendAsync(HttpClient client, string url, HttpMethod method, (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, url);
        if (method == HttpMethod.Post)
        {
            request.Content = JsonContent.Create(new { format = "tar", entries = new[] { new { id = "s/a" }, new { id = "s/b" } } });
        }

        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return await Download.SendAsync(client, request);
    }
}
