using System.Net;
using System.Net.Http.Json;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>Clients cannot use the gateway's keys for anything but reading objects.</summary>
public class StoreReadOnlyTests
{
    public static TheoryData<string, string> ClientHeaders => new()
    {
        { "Authorization", "AWS4-HMAC-SHA256 Credential=AKIACLIENT/20260101/eu-central-1/s3/aws4_request,SignedHeaders=host,Signature=00" },
        { "Proxy-Authorization", "Basic Y2xpZW50" },
        { "Cookie", "session=client" },
        { "Origin", "https://client.example" },
        { "Referer", "https://client.example/page" },
        { "x-amz-copy-source", "/other/secret" },
        { "x-amz-security-token", "client-token" },
        { "x-amz-date", "20200101T000000Z" },
        { "x-amz-content-sha256", "UNSIGNED-PAYLOAD" },
        { "X-Amz-Server-Side-Encryption-Customer-Key", "client-key" },
        { "x-amz-request-payer", "requester" },
        { "x-amz-checksum-mode", "ENABLED" },
        { "x-ms-version", "client-version" },
        { "x-goog-user-project", "client-project" },
        { "x-rgw-client", "client-value" },
        { "Host", "client.example" },
        { "X-Forwarded-Host", "client.example" },
        { "X-Forwarded-Proto", "client-proto" },
        { "Forwarded", "for=client.example" },
    };

    [Theory]
    [InlineData("PUT")]
    [InlineData("POST")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    [InlineData("PROPFIND")]
    public async Task A_method_other_than_GET_and_HEAD_is_405_and_does_not_reach_the_store(string method)
    {
        await using var store = new ScriptedS3();
        store.Put("a", 1000, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);
        foreach (var protocol in Ways.Protocols)
        {
            foreach (var (target, length) in new[] { ("/s/a", 0), ("/s/a", 200_000), ("/s/", 10), ("/s/a?uploads", 0), ("/s/a?acl", 10) })
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), target) { Content = length == 0 ? null : new ByteArrayContent(new byte[length]) };

                var download = await Download.SendAsync(gateway.ClientOf(protocol), request);

                download.RequireEarly(405);
                Assert.Equal(["GET", "HEAD"], download.Response.Content.Headers.Allow.Order(StringComparer.Ordinal));
            }
        }

        Assert.Equal((0, 0, 0), (store.Others, store.Gets, store.Heads));
    }

    [Theory]
    [InlineData("acl")]
    [InlineData("list-type=2")]
    [InlineData("versions")]
    [InlineData("policy")]
    [InlineData("uploads")]
    [InlineData("tagging")]
    [InlineData("torrent")]
    [InlineData("uploadId=x&partNumber=1")]
    [InlineData("versionId=x")]
    [InlineData("response-content-type=text%2Fhtml&response-content-disposition=inline")]
    [InlineData("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00")]
    [InlineData("AWSAccessKeyId=client&Signature=x")]
    public async Task The_query_of_a_client_is_dropped(string query)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", 1000, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);

        var whole = await StoreGateway.ReadAsync(gateway, $"/s/a?{query}");
        var head = await StoreGateway.ReadAsync(gateway, $"/s/a?{query}", HttpMethod.Head);
        var bucket = await StoreGateway.ReadAsync(gateway, $"/s/?{query}");

        Assert.Equal(body, whole.Bytes);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (head.Status, bucket.Status));
        Assert.All(store.RequestsFor("a"), request => Assert.Equal(store.PathOf("a"), request.Path));
        Assert.Equal((1, 1, 0), (store.Gets, store.Heads, store.Others));
    }

    [Theory]
    [InlineData("/s")]
    [InlineData("/s/")]
    [InlineData("/s?list-type=2")]
    public async Task The_bucket_itself_is_404(string target)
    {
        await using var store = new ScriptedS3();
        store.Put("a", 1000, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);

        var get = await StoreGateway.ReadAsync(gateway, target);
        var head = await StoreGateway.ReadAsync(gateway, target, HttpMethod.Head);

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (get.Status, head.Status));
        Assert.Equal((0, 0, 0), (store.Gets, store.Heads, store.Others));
    }

    [Theory]
    [InlineData("/s/../other/key")]
    [InlineData("/s/%2e%2e/other/key")]
    [InlineData("/s/%2E%2E%2Fother/key")]
    [InlineData("/s/x/..%2f..%2fother/key")]
    [InlineData("/s/%252e%252e/other/key")]
    [InlineData("/s/.%2e/other/key")]
    [InlineData("/s/a/%2e%2e")]
    [InlineData("/s/..%5cother")]
    [InlineData("/s/%FF")]
    [InlineData("/s/%c0%ae%c0%ae/key")]
    public async Task A_path_that_could_leave_the_bucket_does_not_reach_the_store(string target)
    {
        await using var store = new ScriptedS3();
        store.Put("key", 1000, seed: 1);
        store.Upstream.Put("/other/key", 1000, seed: 2);
        await using var gateway = await StoreGateway.StartAsync(store);

        var response = await RawHttp.SendAsync(gateway.Address, target);

        Assert.InRange(RawHttp.StatusOf(response), 400, 404);
        Assert.All(store.Upstream.Requests.Where(request => !request.Path.Contains("list-type", StringComparison.Ordinal)), request => Assert.StartsWith(store.PathOf(""), request.Path, StringComparison.Ordinal));
        Assert.DoesNotContain(store.Upstream.Requests, request => request.Path.Contains("..", StringComparison.Ordinal) || request.Path.Contains("%2e", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(0, store.Others);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_that_looks_like_another_host_is_a_key(bool isPathStyle)
    {
        await using var other = new ScriptedUpstream();
        other.Put("/a", 1000, seed: 2);
        var key = $"/{new Uri(other.Address).Authority}/a";
        await using var store = isPathStyle ? new ScriptedS3() : new ScriptedS3("127", isPathStyle: false);
        var body = store.Put(key, 1000, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = JsonContent.Create(new { entries = new[] { new { id = $"s/{key}", name = "a" } } }) };

        var direct = await StoreGateway.ReadAsync(gateway, $"/s/{key}");
        var head = await StoreGateway.ReadAsync(gateway, $"/s/{key}", HttpMethod.Head);
        var bundle = await Download.SendAsync(gateway.Client, request);

        Assert.Empty(other.Requests);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (direct.Status, head.Status));
        Assert.Equal(body, direct.Bytes);
        Assert.Equal(body, bundle.RequireWhole()["a"]);
    }

    [Fact]
    public async Task Headers_of_a_client_that_a_store_would_obey_or_that_identify_the_client_do_not_reach_it()
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", 1000, seed: 1);
        var forwarded = string.Join(", ", ClientHeaders.Select(row => row.Data.Item1).Where(name => name is "Authorization" or "Cookie" || name.StartsWith("x-", StringComparison.Ordinal)));
        await using var gateway = await StoreGateway.StartAsync(store, ("ReverseProxy:Routes:s:Metadata:Bundle.Headers", forwarded));

        foreach (var row in ClientHeaders)
        {
            var (name, value) = row.Data;
            var direct = await StoreGateway.ReadAsync(gateway, "/s/a", headers: (name, value));
            var head = await StoreGateway.ReadAsync(gateway, "/s/a", HttpMethod.Head, (name, value));
            var bundle = await StoreGateway.ReadAsync(gateway, "/bundle?ids=s/a", headers: (name, value));

            Assert.Equal((name, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK), (name, direct.Status, head.Status, bundle.Status));
            Assert.Equal(body, direct.Bytes);
        }

        Assert.DoesNotContain(store.Upstream.Requests, request => request.Headers.Values.Any(value => value.Contains("client", StringComparison.OrdinalIgnoreCase)));
        Assert.DoesNotContain(store.Upstream.Requests, request => request.Headers.Keys.Any(name => name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase)));
        Assert.Empty(store.Refused);
    }

    [Fact]
    public async Task A_body_of_GET_does_not_reach_the_store()
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", 1000, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/s/a") { Content = new ByteArrayContent(new byte[1000]) };

        var download = await Download.SendAsync(gateway.Client, request);

        Assert.Equal(body, download.Bytes);
        Assert.Null(store.RequestsFor("a").Single().Header("Content-Length"));
        Assert.Empty(store.Refused);
    }

    [Theory]
    [InlineData("GET", 200)]
    [InlineData("HEAD", 200)]
    [InlineData("GET", 206)]
    [InlineData("GET", 404)]
    [InlineData("HEAD", 404)]
    [InlineData("GET", 412)]
    [InlineData("GET", 416)]
    [InlineData("GET", 503)]
    public async Task A_response_has_nothing_that_the_store_reports_about_itself(string method, int status)
    {
        await using var store = new ScriptedS3();
        store.Put("a", 1000, 1, ("x-amz-version-id", "v1"), ("x-amz-meta-owner", "someone"), ("x-rgw-object-type", "Normal"), ("x-amz-server-side-encryption", "AES256"));
        if (status == 503)
        {
            store.Fail("a", 503, "SlowDown");
        }

        await using var gateway = await StoreGateway.StartAsync(store);
        (string, string)[] headers = status switch { 206 => [("Range", "bytes=1-2")], 416 => [("Range", "bytes=5000-")], 412 => [("If-Match", "\"another\"")], _ => [] };

        var download = await StoreGateway.ReadAsync(gateway, status == 404 ? "/s/none" : "/s/a", new HttpMethod(method), headers);

        Assert.Equal(status, (int)download.Status);
        Assert.Equal(status < 300, download.Response.Headers.AcceptRanges.Count > 0);
        var names = download.Response.Headers.Concat(download.Response.Content.Headers).Select(header => header.Key);
        Assert.DoesNotContain(names, name => name.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("x-rgw-", StringComparison.OrdinalIgnoreCase) || name == "Server");
        if (status >= 300)
        {
            Assert.Equal("application/problem+json", download.Response.Content.Headers.ContentType!.MediaType);
        }
    }
}
