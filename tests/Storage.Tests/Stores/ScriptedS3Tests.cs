using System.Globalization;
using System.Net;
using System.Text;
using System.Xml.Linq;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Storage.Tests.Stores;

/// <summary>The scripted S3 store that other tests rely on.</summary>
public sealed class ScriptedS3Tests : IAsyncDisposable
{
    private static readonly SignatureV4 Signer = new(ScriptedS3.Keys.AccessKey, ScriptedS3.Keys.SecretKey, ScriptedS3.Region);

    private readonly ScriptedS3 _s3 = new();
    private readonly HttpClient _client = new();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _s3.DisposeAsync();
    }

    [Fact]
    public async Task An_object_is_read_with_a_valid_signature()
    {
        var bytes = _s3.Put("folder/a b+ü=1", 1000, 1, ("x-amz-version-id", "v1"), ("x-amz-checksum-crc32c", "AAAAAA=="));

        using var whole = await SendAsync(Signer, "GET", "folder/a b+ü=1");
        using var range = await SendAsync(Signer, "GET", "folder/a b+ü=1", ("Range", "bytes=-10"), ("If-Range", "\"another\""), ("x-amz-checksum-mode", "ENABLED"));
        using var head = await SendAsync(Signer, "HEAD", "folder/a b+ü=1", ("x-amz-checksum-mode", "ENABLED"));

        Assert.Equal(bytes, await whole.Content.ReadAsByteArrayAsync());
        Assert.Equal(bytes[^10..], await range.Content.ReadAsByteArrayAsync());
        Assert.Equal((HttpStatusCode.PartialContent, HttpStatusCode.OK), (range.StatusCode, head.StatusCode));
        Assert.All([whole, range, head], response => Assert.Equal("v1", response.Headers.GetValues("x-amz-version-id").Single()));
        Assert.Equal([false, false, true], new[] { whole, range, head }.Select(response => response.Headers.Contains("x-amz-checksum-crc32c")));
        Assert.Equal((2, 1, 0, 0), (_s3.Gets, _s3.Heads, _s3.Listings, _s3.Others));
        Assert.Empty(_s3.Refused);
    }

    [Theory]
    [InlineData("SignatureDoesNotMatch", 403)]
    [InlineData("InvalidAccessKeyId", 403)]
    [InlineData("RequestTimeTooSkewed", 403)]
    [InlineData("InvalidToken", 400)]
    public async Task A_wrong_signature_is_refused_with_details_that_must_not_leak(string code, int status)
    {
        _s3.Put("a", 10, 1);
        var signer = code switch
        {
            "SignatureDoesNotMatch" => Signer with { SecretKey = "another" },
            "InvalidAccessKeyId" => Signer with { AccessKey = "AKIAANOTHER" },
            "InvalidToken" => Signer with { SessionToken = "token" },
            _ => Signer with { Clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(16)) },
        };

        using var get = await SendAsync(signer, "GET", "a");
        using var head = await SendAsync(signer, "HEAD", "a");

        var error = await ErrorOf(get);
        Assert.Equal((status, status), ((int)get.StatusCode, (int)head.StatusCode));
        Assert.Equal(code, error.Element("Code")?.Value);
        Assert.All([_s3.Bucket, ScriptedS3.Keys.AccessKey, SignatureV4.Algorithm, ScriptedS3.RequestId, ScriptedS3.HostId], detail => Assert.Contains(detail, error.ToString(), StringComparison.Ordinal));
        Assert.Equal(2, _s3.Refused.Count);
    }

    [Fact]
    public async Task Expired_keys_are_refused_and_new_ones_accepted()
    {
        _s3.Put("a", 10, 1);
        var (old, current) = (new S3Keys("ASIAOLD", "old", "token-1"), new S3Keys("ASIANEW", "new", "token-2"));
        _s3.Accept(old);
        using var before = await SendAsync(SignerOf(old), "GET", "a");
        _s3.Accept(current);
        using var expired = await SendAsync(SignerOf(old), "GET", "a");
        using var after = await SendAsync(SignerOf(current), "GET", "a");
        using var wrongToken = await SendAsync(SignerOf(current with { SessionToken = "token-1" }), "GET", "a");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (before.StatusCode, after.StatusCode));
        Assert.Equal("ExpiredToken", (await ErrorOf(expired)).Element("Code")?.Value);
        Assert.Equal("InvalidToken", (await ErrorOf(wrongToken)).Element("Code")?.Value);
    }

    [Theory]
    [InlineData(true, 301, "PermanentRedirect")]
    [InlineData(false, 400, "AuthorizationHeaderMalformed")]
    public async Task Another_region_is_named(bool redirects, int status, string code)
    {
        (_s3.BucketRegion, _s3.RedirectsToRegion) = ("eu-west-1", redirects);

        using var response = await SendAsync(Signer, "GET", "a");
        using var head = await SendAsync(Signer, "HEAD", "a");

        Assert.Equal((status, status), ((int)response.StatusCode, (int)head.StatusCode));
        Assert.Equal((code, "eu-west-1"), ((await ErrorOf(response)).Element("Code")?.Value, (await ErrorOf(response)).Element("Region")?.Value));
        Assert.All([response, head], one => Assert.Equal("eu-west-1", one.Headers.GetValues("x-amz-bucket-region").Single()));
        Assert.Null(response.Headers.Location);
    }

    [Fact]
    public async Task Conditions_versions_and_archived_objects_are_those_of_S3()
    {
        var first = _s3.Put("a", 100, 1, ("x-amz-version-id", "v1"));
        _s3.Put("a", 100, 2, ("x-amz-version-id", "v2"));
        _s3.Put("cold", 100, 3, ("x-amz-storage-class", "DEEP_ARCHIVE"));
        _s3.Put("restored", 100, 4, ("x-amz-storage-class", "GLACIER"), ("x-amz-restore", "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2029 00:00:00 GMT\""));

        using var changed = await SendAsync(Signer, "GET", "a", ("If-Match", "\"another\""), ("Range", "bytes=5-"));
        using var version = await SendAsync(Signer, "GET", "a", "?versionId=v1");
        using var cold = await SendAsync(Signer, "GET", "cold");
        using var coldHead = await SendAsync(Signer, "HEAD", "cold");
        using var restored = await SendAsync(Signer, "GET", "restored");
        using var beyond = await SendAsync(Signer, "GET", "a", ("Range", "bytes=100-"));
        using var missing = await SendAsync(Signer, "GET", "missing");

        Assert.Equal((HttpStatusCode.PreconditionFailed, "PreconditionFailed"), (changed.StatusCode, (await ErrorOf(changed)).Element("Code")?.Value));
        Assert.Equal(first, await version.Content.ReadAsByteArrayAsync());
        Assert.Equal(("InvalidObjectState", "DEEP_ARCHIVE"), ((await ErrorOf(cold)).Element("Code")?.Value, coldHead.Headers.GetValues("x-amz-storage-class").Single()));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.RequestedRangeNotSatisfiable), (coldHead.StatusCode, restored.StatusCode, beyond.StatusCode));
        Assert.Equal("NoSuchKey", (await ErrorOf(missing)).Element("Code")?.Value);
    }

    [Fact]
    public async Task A_bucket_can_be_the_beginning_of_the_host()
    {
        await using var s3 = new ScriptedS3("127", isPathStyle: false) { HidesMissing = true };
        var bytes = s3.Put("a=b", 10, 1);

        using var found = await SendAsync(s3.Address + "a%3Db");
        using var missing = await SendAsync(s3.Address + "missing");
        using var listing = await SendAsync(s3.Address + "?list-type=2");

        Assert.Equal(bytes, await found.Content.ReadAsByteArrayAsync());
        Assert.Equal("AccessDenied", (await ErrorOf(missing)).Element("Code")?.Value);
        Assert.Contains("<Key>a=b</Key>", await listing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal((2, 1, 0, 0), (s3.Gets, s3.Listings, s3.Others, s3.Refused.Count));

        async Task<HttpResponseMessage> SendAsync(string url)
        {
            using var request = Signer.CreateRequest(HttpMethod.Get, new Uri(url));
            return await _client.SendAsync(request);
        }
    }

    [Fact]
    public async Task A_public_bucket_needs_no_signature_and_only_reads_are_counted_as_reads()
    {
        _s3.IsPublic = true;
        var bytes = _s3.Put("a", 10, 1);

        using var get = await _client.GetAsync(new Uri(_s3.Address + _s3.PathOf("a")[1..]));
        using var delete = await _client.DeleteAsync(new Uri(_s3.Address + _s3.PathOf("a")[1..]));
        using var acl = await _client.GetAsync(new Uri(_s3.Address + _s3.PathOf("a")[1..] + "?acl"));
        using var otherBucket = await _client.GetAsync(new Uri(_s3.Address + "another/a"));

        Assert.Equal(bytes, await get.Content.ReadAsByteArrayAsync());
        Assert.Equal(
            [HttpStatusCode.MethodNotAllowed, HttpStatusCode.NotFound, HttpStatusCode.NotFound],
            new[] { delete, acl, otherBucket }.Select(response => response.StatusCode));
        Assert.Equal(2, _s3.Others);
    }

    [Fact]
    public async Task A_failure_is_answered_once_after_the_signature_was_verified()
    {
        _s3.Put("a", 10, 1);
        _s3.Fail("a", 503, "SlowDown");
        _s3.Fail("a", Fault.Close(5));

        using var unsigned = await _client.GetAsync(new Uri(_s3.Address + _s3.PathOf("a")[1..]));
        using var slow = await SendAsync(Signer, "GET", "a");
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(Signer, "GET", "a"));
        using var whole = await SendAsync(Signer, "GET", "a");

        Assert.Equal("AccessDenied", (await ErrorOf(unsigned)).Element("Code")?.Value);
        Assert.Equal("SlowDown", (await ErrorOf(slow)).Element("Code")?.Value);
        Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task A_listing_has_all_keys_in_the_order_of_their_bytes(int pageSize)
    {
        _s3.PageSize = pageSize;
        string[] keys = ["x/", "x/a b", "x/a+b", "x/%41", "x/<&\">", "x/\u0001", "x/ü", "x/\uFFEE", "x/😀", "x/sub/1", "x/sub/2", "x~"];
        foreach (var key in keys.Append("y"))
        {
            _s3.Put(key, 10, 1);
        }

        var listed = await ListAsync("encoding-type=url&prefix=x");
        var folders = await ListAsync("encoding-type=url&prefix=x%2F&delimiter=%2F");

        Assert.Equal(keys.OrderBy(key => Convert.ToHexString(Encoding.UTF8.GetBytes(key)), StringComparer.Ordinal), listed);
        Assert.Equal(keys[..9].Append("x/sub/").Order(StringComparer.Ordinal), folders.Order(StringComparer.Ordinal));
        Assert.Equal(0, _s3.Others + _s3.Refused.Count);
    }

    [Fact]
    public async Task Ten_thousand_objects_are_ten_pages()
    {
        for (var i = 0; i < 10_000; i++)
        {
            _s3.Put(string.Create(CultureInfo.InvariantCulture, $"x/{i}"), 10, 1);
        }

        var listed = await ListAsync("prefix=x%2F");

        Assert.Equal((10_000, 10), (listed.Distinct().Count(), _s3.Listings));
    }

    [Fact]
    public async Task A_listing_can_fail_and_lie()
    {
        _s3.FailListing(503, "SlowDown");
        using var failed = await SendAsync(Signer, "GET", "", "?list-type=2");
        _s3.Listing = _ => ScriptedResponse.Xml(200, "<not xml") with { After = 4, Ending = Ending.Close };

        Assert.Equal("SlowDown", (await ErrorOf(failed)).Element("Code")?.Value);
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(Signer, "GET", "", "?list-type=2"));
    }

    private static SignatureV4 SignerOf(S3Keys keys) => new(keys.AccessKey, keys.SecretKey, ScriptedS3.Region) { SessionToken = keys.SessionToken };

    private static async Task<XElement> ErrorOf(HttpResponseMessage response) => XElement.Parse(await response.Content.ReadAsStringAsync());

    private Task<HttpResponseMessage> SendAsync(SignatureV4 signer, string method, string key, params (string Name, string Value)[] headers) => SendAsync(signer, method, key, "", headers);

    private async Task<HttpResponseMessage> SendAsync(SignatureV4 signer, string method, string key, string query, params (string Name, string Value)[] headers)
    {
        using var request = signer.CreateRequest(new HttpMethod(method), new Uri(_s3.Address + _s3.PathOf(key)[1..] + query), headers);
        return await _client.SendAsync(request);
    }

    /// <summary>All keys and folders, page by page.</summary>
    private async Task<List<string>> ListAsync(string query)
    {
        var found = new List<string>();
        for (string? token = null; ;)
        {
            using var response = await SendAsync(Signer, "GET", "", $"?list-type=2&{query}{(token is null ? "" : $"&continuation-token={Uri.EscapeDataString(token)}")}");
            var page = await ErrorOf(response);
            string ValueOf(XElement element, string name) => element.Element(page.Name.Namespace + name)!.Value;
            var isEncoded = page.Element(page.Name.Namespace + "EncodingType")?.Value == "url";
            found.AddRange(page.Elements(page.Name.Namespace + "Contents").Select(entry => ValueOf(entry, "Key"))
                .Concat(page.Elements(page.Name.Namespace + "CommonPrefixes").Select(entry => ValueOf(entry, "Prefix")))
                .Select(key => isEncoded ? WebUtility.UrlDecode(key) : key));
            if (ValueOf(page, "IsTruncated") == "false")
            {
                return found;
            }

            token = ValueOf(page, "NextContinuationToken");
        }
    }
}
