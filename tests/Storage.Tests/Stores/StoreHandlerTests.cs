using System.Net;
using System.Net.Http.Headers;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.S3;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Storage.Tests.Stores;

public sealed class StoreHandlerTests : IDisposable
{
    private const string Bucket = "http://minio:9000/acme/";
    private readonly FakeTimeProvider _time = new(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly StubStore _store = new();
    private readonly List<StorageException> _failures = [];
    private readonly string _secret = Path.GetTempFileName();
    private readonly HttpMessageInvoker _client;

    public StoreHandlerTests()
    {
        File.WriteAllText(_secret, "SECRET");
        var options = new StoreOptions { Kind = StoreKind.S3, Bucket = "acme", Region = "eu-central-1", AccessKey = "AK", SecretKeyFile = _secret };
        _client = new HttpMessageInvoker(new StoreHandler(_store, new S3Dialect(options, _time), options, new StoreErrors("media", options, _time), _failures.Add, _time));
    }

    public void Dispose()
    {
        _client.Dispose();
        File.Delete(_secret);
    }

    // :: Direct requests

    [Theory]
    [InlineData("PUT")]
    [InlineData("POST")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    public async Task A_method_that_does_not_read_is_a_405_and_never_reaches_the_store(string method)
    {
        using var response = await SendAsync(Direct("a", method));

        Assert.Equal((405, "GET, HEAD"), ((int)response.StatusCode, string.Join(", ", response.Content.Headers.Allow)));
        Assert.Equal("""{"status":405,"detail":"This source is read-only."}""", await response.Content.ReadAsStringAsync());
        Assert.Empty(_store.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?list-type=2")]
    public async Task The_bucket_itself_is_a_404_and_never_reaches_the_store(string query)
    {
        using var response = await SendAsync(Direct(query));

        Assert.Equal((404, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Empty(_store.Requests);
    }

    [Theory]
    [InlineData("http://minio:9000/acme/%FF")]
    [InlineData("http://minio:9000/acme/a%2F..%2Fb")]
    [InlineData("http://minio:9000/other/a")]
    public async Task A_key_that_the_store_could_read_differently_is_a_400_and_never_reaches_the_store(string address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Options.Set(StoreHandler.IsOfBundle, false);

        using var response = await SendAsync(request);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Empty(_store.Requests);
    }

    [Theory]
    [InlineData("a?acl")]
    [InlineData("a?uploads")]
    [InlineData("a?versionId=1&X-Amz-Signature=2")]
    [InlineData("a?")]
    public async Task The_query_of_a_client_is_dropped(string path)
    {
        (await SendAsync(Direct(path))).Dispose();

        Assert.Equal("/acme/a", _store.Request.Path);
        AssertSigned(_store.Request);
    }

    [Fact]
    public async Task Headers_of_a_client_that_could_authorize_or_command_are_removed()
    {
        var request = Direct("a");
        foreach (var name in new[] { "Authorization", "Cookie", "Proxy-Authorization", "Origin", "Referer", "x-amz-acl", "X-Amz-Date", "x-rgw-a", "x-ms-version", "x-goog-a", "X-Forwarded-Host" })
        {
            request.Headers.TryAddWithoutValidation(name, "client");
        }

        request.Headers.TryAddWithoutValidation("Accept", "text/plain");
        request.Headers.Host = "media.example.com";
        (await SendAsync(request)).Dispose();

        Assert.DoesNotContain("client", _store.Request.Headers.Values);
        Assert.Equal(("text/plain", "minio:9000"), (_store.Request.Header("Accept"), _store.Request.Header("Host")));
        AssertSigned(_store.Request);
    }

    [Fact]
    public async Task What_a_store_reports_about_itself_does_not_reach_a_client()
    {
        _store.Respond = _ => WithHeaders(StubStore.Ok("body"), ("x-amz-request-id", "1"), ("x-rgw-object-type", "n"), ("X-Ms-Version", "1"), ("x-goog-hash", "h"), ("x-guploader-uploadid", "u"), ("Server", "AmazonS3"), ("ETag", "\"v\""), ("Accept-Ranges", "bytes"), ("x-minio-deployment-id", "o"), ("X-Trans-Id", "t"), ("Via", "proxy"));

        using var response = await SendAsync(Direct("a"));

        Assert.Equal(["Accept-Ranges", "ETag"], response.Headers.Select(header => header.Key).Order(StringComparer.Ordinal));
        Assert.Equal("body", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(404, "NoSuchKey", 404, "The object does not exist.")]
    [InlineData(403, "AccessDenied", 403, "The object does not exist, or the gateway may not read it.")]
    [InlineData(412, "PreconditionFailed", 412, "A condition of the request is not met.")]
    [InlineData(416, "InvalidRange", 416, "The object does not have the requested bytes.")]
    [InlineData(429, "", 429, "Storage is overloaded.")]
    [InlineData(503, "SlowDown", 503, "Storage is overloaded.")]
    [InlineData(400, "SlowDown", 503, "Storage is overloaded.")]
    [InlineData(500, "InternalError", 500, "Storage cannot serve the request.")]
    public async Task The_body_of_an_error_is_replaced(int status, string code, int expected, string detail)
    {
        _store.Respond = _ => WithHeaders(StubStore.Error(status, code, "<BucketName>acme</BucketName><AWSAccessKeyId>AK</AWSAccessKeyId>"), ("Retry-After", "7"), ("x-amz-request-id", "1"));

        using var response = await SendAsync(Direct("a"));

        Assert.Equal((expected, $"{{\"status\":{expected},\"detail\":\"{detail}\"}}"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal((TimeSpan.FromSeconds(7), false), (response.Headers.RetryAfter?.Delta, response.Headers.Contains("x-amz-request-id")));
        Assert.Empty(_failures);
    }

    [Fact]
    public async Task The_length_of_an_object_stays_in_a_416()
    {
        _store.Respond = _ =>
        {
            var error = StubStore.Error(416, "InvalidRange");
            error.Content.Headers.ContentRange = new ContentRangeHeaderValue(100);
            return error;
        };

        using var response = await SendAsync(Direct("a"));

        Assert.Equal(100, response.Content.Headers.ContentRange?.Length);
    }

    [Theory]
    [InlineData(404, "NoSuchBucket", 502, "BucketMissing")]
    [InlineData(403, "InvalidObjectState", 409, "Archived")]
    [InlineData(301, "PermanentRedirect", 502, "Redirected")]
    [InlineData(403, "RequestTimeTooSkewed", 502, "ClockDiffers")]
    public async Task A_failure_is_reported_and_becomes_an_error_response(int status, string code, int expected, string reason)
    {
        _store.Respond = _ => StubStore.Error(status, code);

        using var response = await SendAsync(Direct("a"));

        Assert.Equal(expected, (int)response.StatusCode);
        Assert.Equal([reason], _failures.Select(failure => failure.Reason.Name));
    }

    [Fact]
    public async Task A_304_is_not_an_error()
    {
        _store.Respond = _ => WithHeaders(new HttpResponseMessage(HttpStatusCode.NotModified), ("ETag", "\"v\""), ("x-amz-request-id", "1"));

        using var response = await SendAsync(Direct("a"));

        Assert.Equal((304, "\"v\"", false), ((int)response.StatusCode, response.Headers.ETag?.Tag, response.Headers.Contains("x-amz-request-id")));
    }

    [Theory]
    [InlineData(8, "CredentialRejected")]
    [InlineData(9, null)]
    public async Task Of_an_error_at_most_8_KiB_are_read(int kib, string? reason)
    {
        _store.Respond = _ => StubStore.Error(403, "SignatureDoesNotMatch", $"<StringToSign>{new string('s', (kib * 1024) - 200)}</StringToSign>");

        (await SendAsync(Direct("a"))).Dispose();

        Assert.Equal(reason, _failures.SingleOrDefault()?.Reason.Name);
    }

    [Fact]
    public async Task For_the_reason_of_an_error_of_HEAD_the_store_is_asked_with_GET()
    {
        _store.Respond = request => StubStore.Error(403, request.Method == "GET" ? "InvalidObjectState" : "");
        var request = Direct("a b", "HEAD");
        request.Headers.TryAddWithoutValidation("Range", "bytes=0-1");

        using var response = await SendAsync(request);

        Assert.Equal((409, ""), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal([("HEAD", "/acme/a%20b"), ("GET", "/acme/a%20b")], _store.Requests.Select(sent => (sent.Method, sent.Path)));
        Assert.All(_store.Requests, AssertSigned);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(503)]
    public async Task Another_error_of_HEAD_is_not_asked_again(int status)
    {
        _store.Respond = _ => StubStore.Error(status);

        using var response = await SendAsync(Direct("a", "HEAD"));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("HEAD", _store.Request.Method);
    }

    // :: If-Range

    [Fact]
    public async Task An_If_Range_becomes_an_If_Match_because_some_stores_ignore_it()
    {
        (await SendAsync(Ranged("\"v1\""))).Dispose();

        Assert.Equal(("bytes=5-", "\"v1\"", null), (_store.Request.Header("Range"), _store.Request.Header("If-Match"), _store.Request.Header("If-Range")));
    }

    [Fact]
    public async Task After_a_412_a_client_gets_the_whole_new_version()
    {
        _store.Respond = request => request.Header("If-Match") is null ? StubStore.Ok("new") : StubStore.Error(412, "PreconditionFailed");

        using var response = await SendAsync(Ranged("\"v1\""));

        Assert.Equal((200, "new"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal(["bytes=5-", null], _store.Requests.Select(request => request.Header("Range")));
        Assert.All(_store.Requests, AssertSigned);
    }

    [Fact]
    public async Task An_attempt_after_another_keeps_the_condition()
    {
        var request = Ranged("\"v1\"");
        _store.Respond = _ => StubStore.Error(500, "InternalError");
        (await SendAsync(request)).Dispose();
        _store.Respond = sent => sent.Header("If-Match") is null ? StubStore.Ok("new") : StubStore.Error(412, "PreconditionFailed");

        using var response = await SendAsync(request);

        Assert.Equal(["\"v1\"", "\"v1\"", null], _store.Requests.Select(sent => sent.Header("If-Match")));
        Assert.Equal("new", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("W/\"v1\"")]
    [InlineData("Fri, 02 Jan 2026 03:04:05 GMT")]
    public async Task A_condition_that_does_not_identify_a_version_means_the_whole_object(string condition)
    {
        (await SendAsync(Ranged(condition))).Dispose();

        Assert.Equal((null, null, null), (_store.Request.Header("Range"), _store.Request.Header("If-Match"), _store.Request.Header("If-Range")));
    }

    [Fact]
    public async Task A_412_of_the_clients_own_If_Match_is_a_412()
    {
        _store.Respond = _ => StubStore.Error(412, "PreconditionFailed");
        var request = Direct("a");
        request.Headers.TryAddWithoutValidation("If-Match", "\"v1\"");

        using var response = await SendAsync(request);

        Assert.Equal(412, (int)response.StatusCode);
        Assert.Single(_store.Requests);
    }

    [Fact]
    public async Task For_a_bundle_a_412_means_that_the_object_changed()
    {
        _store.Respond = _ => StubStore.Error(412, "PreconditionFailed");
        var request = Ranged("\"v1\"");
        request.Options.Set(StoreHandler.IsOfBundle, true);

        using var response = await SendAsync(request);

        Assert.Equal(412, (int)response.StatusCode);
        Assert.Equal("\"v1\"", _store.Request.Header("If-Match"));
    }

    // :: Credentials

    [Fact]
    public async Task A_rejected_credential_is_replaced_once()
    {
        _store.Respond = _ =>
        {
            File.WriteAllText(_secret, "ROTATED");
            return _store.Requests.Count == 1 ? StubStore.Error(400, "ExpiredToken") : StubStore.Ok("body");
        };

        using var response = await SendAsync(Direct("a"));

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(["SECRET", "ROTATED"], _store.Requests.Select(FindSecret));
        Assert.Empty(_failures);
    }

    [Fact]
    public async Task A_new_credential_that_is_rejected_too_is_a_failure()
    {
        _store.Respond = _ => StubStore.Error(403, "InvalidAccessKeyId");

        using var response = await SendAsync(Direct("a"));

        Assert.Equal((502, 2), ((int)response.StatusCode, _store.Requests.Count));
        Assert.Equal([FailureReason.CredentialRejected], _failures.Select(failure => failure.Reason));
    }

    [Fact]
    public async Task Clients_cannot_drive_the_service_that_issues_credentials()
    {
        _store.Respond = _ => StubStore.Error(403, "InvalidAccessKeyId");

        var sent = new List<int>();
        foreach (var seconds in new[] { 0, 1, 3.9, 0.1 })
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            var before = _store.Requests.Count;
            (await SendAsync(Direct("a"))).Dispose();
            sent.Add(_store.Requests.Count - before);
        }

        Assert.Equal([2, 1, 1, 2], sent);
    }

    [Fact]
    public async Task Requests_that_were_rejected_at_the_same_time_are_all_sent_again()
    {
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.RespondAsync = async request =>
        {
            if (FindSecret(request) == "ROTATED")
            {
                return StubStore.Ok();
            }

            if (_store.Requests.Count(sent => FindSecret(sent) == "SECRET") == 20)
            {
                await File.WriteAllTextAsync(_secret, "ROTATED");
                all.TrySetResult();
            }

            await all.Task;
            return StubStore.Error(403, "InvalidAccessKeyId");
        };

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => SendAsync(Direct($"{i}"))));

        Assert.All(responses, response => Assert.Equal(200, (int)response.StatusCode));
        Assert.Equal(40, _store.Requests.Count);
    }

    [Fact]
    public async Task Without_a_credential_nothing_is_sent()
    {
        File.Delete(_secret);

        using var response = await SendAsync(Direct("a"));

        Assert.Equal(502, (int)response.StatusCode);
        Assert.Equal([FailureReason.NoCredential], _failures.Select(failure => failure.Reason));
        Assert.Empty(_store.Requests);
    }

    // :: Bundles

    [Fact]
    public async Task The_URL_is_restored_after_each_attempt()
    {
        var request = Entry("a+b?x");
        (await SendAsync(request)).Dispose();
        var after = request.RequestUri!.OriginalString;

        _store.Respond = _ => StubStore.Error(404, "NoSuchBucket");
        await Assert.ThrowsAsync<StorageException>(() => SendAsync(request));

        Assert.Equal((Bucket + "a+b?x", Bucket + "a+b?x"), (after, request.RequestUri.OriginalString));
        Assert.Equal(["/acme/a%2Bb", "/acme/a%2Bb"], _store.Requests.Select(sent => sent.Path));
    }

    [Fact]
    public async Task A_version_is_requested_by_its_id()
    {
        var request = Entry("a");
        request.Options.Set(StoreHandler.Version, "v/1");

        (await SendAsync(request)).Dispose();

        Assert.Equal("/acme/a?versionId=v%2F1", _store.Request.Path);
        AssertSigned(_store.Request);
    }

    [Fact]
    public async Task The_planner_sees_the_headers_of_the_store()
    {
        _store.Respond = _ => WithHeaders(StubStore.Ok(), ("x-amz-version-id", "v1"));

        using var response = await SendAsync(Entry("a"));

        Assert.Equal("v1", response.Headers.GetValues("x-amz-version-id").Single());
        Assert.Equal("ENABLED", _store.Request.Header("x-amz-checksum-mode"));
    }

    [Theory]
    [InlineData("HEAD", "DEEP_ARCHIVE", true)]
    [InlineData("HEAD", "STANDARD", false)]
    [InlineData("GET", "DEEP_ARCHIVE", false)]
    public async Task An_archived_object_fails_before_any_byte(string method, string storageClass, bool fails)
    {
        _store.Respond = _ => WithHeaders(StubStore.Ok(), ("x-amz-storage-class", storageClass));

        var failure = await Record.ExceptionAsync(() => SendAsync(Entry("a", method)));

        Assert.Equal(fails ? "The object is archived (DEEP_ARCHIVE) and must be restored first." : null, failure?.Message);
        Assert.Equal(fails, _failures.Any(known => known.Reason == FailureReason.Archived));
    }

    [Fact]
    public async Task An_error_of_HEAD_has_only_its_status_because_the_planner_asks_with_GET()
    {
        _store.Respond = _ => StubStore.Error(403);

        using var response = await SendAsync(Entry("a", "HEAD"));

        Assert.Equal(403, (int)response.StatusCode);
        Assert.Single(_store.Requests);
    }

    [Fact]
    public async Task A_failure_of_an_entry_is_thrown_with_its_reason()
    {
        _store.Respond = _ => StubStore.Error(301, "PermanentRedirect", "<Region>eu-west-1</Region>");

        var failure = await Assert.ThrowsAsync<StorageException>(() => SendAsync(Entry("a")));

        Assert.Equal((FailureReason.WrongRegion, 301), (failure.Reason, failure.UpstreamStatusCode));
        Assert.Same(failure, Assert.Single(_failures));
    }

    // :: Listings

    [Fact]
    public async Task A_listing_is_requested_of_the_bucket_and_read()
    {
        _store.Respond = _ => StubStore.Ok(
            """<ListBucketResult><Name>acme</Name><IsTruncated>false</IsTruncated><Contents><Key>x/a</Key><Size>3</Size><ETag>"v"</ETag><LastModified>2026-01-02T03:04:05.678Z</LastModified></Contents></ListBucketResult>""");
        var (request, exchange) = Listing("x/");

        using var response = await SendAsync(request);

        Assert.Equal("/acme?list-type=2&encoding-type=url&max-keys=1000&prefix=x%2F", _store.Request.Path);
        Assert.Equal(("a", 3L), (exchange.Page!.Objects[0].Key, exchange.Page.Objects[0].Size));
        AssertSigned(_store.Request);
    }

    [Theory]
    [InlineData(404, "", 404)]
    [InlineData(403, "AccessDenied", 403)]
    [InlineData(500, "InternalError", 500)]
    public async Task An_error_of_a_listing_has_no_page(int status, string code, int expected)
    {
        _store.Respond = _ => StubStore.Error(status, code);
        var (request, exchange) = Listing("x/");

        using var response = await SendAsync(request);

        Assert.Equal(expected, (int)response.StatusCode);
        Assert.Null(exchange.Page);
    }

    [Fact]
    public async Task A_page_of_more_than_8_MiB_is_refused()
    {
        _store.Respond = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(new byte[ListingRequest.MaxPageBytes + 1]) };

        var failure = await Assert.ThrowsAsync<StorageException>(() => SendAsync(Listing("x/").Request));

        Assert.Equal((FailureReason.InvalidListing, "Storage sent a page of a listing with more than 8388608 bytes."), (failure.Reason, failure.Message));
    }

    // :: Health checks

    [Theory]
    [InlineData(200, "", 200)]
    [InlineData(403, "AccessDenied", 200)]
    [InlineData(403, "InvalidAccessKeyId", 502)]
    [InlineData(404, "NoSuchBucket", 502)]
    [InlineData(503, "SlowDown", 503)]
    [InlineData(500, "", 500)]
    public async Task A_health_check_asks_whether_the_store_responds_and_does_not_need_the_right_to_list(int status, string code, int expected)
    {
        _store.Respond = _ => status == 200 ? StubStore.Ok("<ListBucketResult/>") : StubStore.Error(status, code);

        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Head, Bucket + "prefix/"));

        Assert.Equal(expected, (int)response.StatusCode);
        Assert.All(_store.Requests, request => Assert.Equal("GET /acme?list-type=2&encoding-type=url&max-keys=1&prefix=prefix%2F&delimiter=%2F", $"{request.Method} {request.Path}"));
    }

    [Fact]
    public async Task A_health_check_of_another_path_is_not_signed()
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://minio:9000/health"));

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Empty(_store.Requests);
    }

    private static HttpRequestMessage Direct(string path, string method = "GET")
    {
        var request = new HttpRequestMessage(new HttpMethod(method), Bucket + path);
        request.Options.Set(StoreHandler.IsOfBundle, false);
        return request;
    }

    private static HttpRequestMessage Ranged(string condition)
    {
        var request = Direct("a");
        request.Headers.TryAddWithoutValidation("Range", "bytes=5-");
        request.Headers.TryAddWithoutValidation("If-Range", condition);
        return request;
    }

    private static HttpRequestMessage Entry(string path, string method = "GET")
    {
        var request = new HttpRequestMessage(new HttpMethod(method), Bucket + path);
        request.Options.Set(StoreHandler.IsOfBundle, true);
        return request;
    }

    private static (HttpRequestMessage Request, ListingExchange Exchange) Listing(string prefix)
    {
        var request = Entry(prefix);
        var exchange = new ListingExchange(new ListingRequest(IsOneLevel: false, 1000, null));
        request.Options.Set(ListingExchange.Key, exchange);
        return (request, exchange);
    }

    private static HttpResponseMessage WithHeaders(HttpResponseMessage response, params (string Name, string Value)[] headers)
    {
        foreach (var (name, value) in headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _client.SendAsync(request, CancellationToken.None);

    private void AssertSigned(ScriptedRequest request) => Assert.Null(Verifier("SECRET").Verify(request));

    /// <summary>The secret that a request is signed with.</summary>
    private string? FindSecret(ScriptedRequest request) => new[] { "SECRET", "ROTATED" }.FirstOrDefault(secret => Verifier(secret).Verify(request) is null);

    private SignatureV4 Verifier(string secret) => new("AK", secret, "eu-central-1") { Clock = _time };
}
