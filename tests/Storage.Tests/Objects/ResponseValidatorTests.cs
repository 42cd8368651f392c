using System.Net;
using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Objects;
using Gateway.Storage.SubRequests;
using Gateway.Storage.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Objects;

public sealed class ResponseValidatorTests : IDisposable
{
    private static readonly ObjectHead Head = new(100, "\"v1\"", DateTimeOffset.UnixEpoch);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly ServiceProvider _services = new ServiceCollection().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task A_200_is_the_whole_object()
    {
        var head = await RequireWholeAsync(200, ("Content-Length", "7"), ("ETag", "\"v1\""), ("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT"));

        Assert.Equal(new ObjectHead(7, "\"v1\"", _time.GetUtcNow()), head);
    }

    [Theory]
    [InlineData(203, nameof(FailureReason.UnexpectedStatus), "Storage returned 203: an intermediate proxy has changed the object (RFC 9110, section 15.3.4).")]
    [InlineData(204, nameof(FailureReason.UnexpectedStatus), "Storage returned 204.")]
    [InlineData(206, nameof(FailureReason.UnexpectedStatus), "Storage returned 206 to a request for the whole object (RFC 9110, section 15.3.7).")]
    [InlineData(301, nameof(FailureReason.Redirected), "Storage returned 301, a redirect, which is not followed.")]
    [InlineData(304, nameof(FailureReason.UnexpectedStatus), "Storage returned 304 to a request without a condition (RFC 9110, section 15.4.5).")]
    [InlineData(308, nameof(FailureReason.Redirected), "Storage returned 308, a redirect, which is not followed.")]
    [InlineData(400, nameof(FailureReason.UnexpectedStatus), "Storage returned 400.")]
    [InlineData(401, nameof(FailureReason.Denied), "Storage does not permit the gateway to read.")]
    [InlineData(403, nameof(FailureReason.Denied), "Storage returned 403: the object does not exist, or the gateway may not read it.")]
    [InlineData(404, nameof(FailureReason.NotFound), "no such object")]
    [InlineData(407, nameof(FailureReason.Denied), "Storage does not permit the gateway to read.")]
    [InlineData(408, nameof(FailureReason.StorageError), "Storage returned 408.")]
    [InlineData(410, nameof(FailureReason.NotFound), "no such object")]
    [InlineData(429, nameof(FailureReason.Throttled), "Storage returned 429.")]
    [InlineData(500, nameof(FailureReason.StorageError), "Storage returned 500.")]
    [InlineData(501, nameof(FailureReason.UnexpectedStatus), "Storage returned 501.")]
    [InlineData(502, nameof(FailureReason.StorageError), "Storage returned 502.")]
    [InlineData(503, nameof(FailureReason.Throttled), "Storage returned 503.")]
    [InlineData(504, nameof(FailureReason.StorageTimeout), "Storage returned 504.")]
    public async Task Every_other_status_is_a_failure_of_its_own(int status, string reason, string message)
    {
        var failure = await Assert.ThrowsAsync<StorageException>(() => RequireWholeAsync(status));

        Assert.Equal((reason, message), (failure.Reason.Name, failure.Message));
    }

    [Theory]
    [InlineData("120", 120)]
    [InlineData("0", 0)]
    [InlineData("Fri, 02 Jan 2026 03:05:05 GMT", 60)]
    [InlineData("Fri, 02 Jan 2026 03:04:05 GMT", null)]
    [InlineData("Fri, 02 Jan 2026 03:03:05 GMT", null)]
    [InlineData("-5", null)]
    [InlineData("1.5", null)]
    [InlineData("99999999999", null)]
    [InlineData("soon", null)]
    [InlineData(null, null)]
    public async Task Throttled_storage_may_ask_to_wait(string? header, int? seconds)
    {
        var failure = await Assert.ThrowsAsync<StorageException>(() => RequireWholeAsync(503, header is null ? [] : [("Retry-After", header)]));

        Assert.Equal(seconds is { } some ? TimeSpan.FromSeconds(some) : null, failure.RetryAfter);
    }

    [Fact]
    public async Task An_encoded_object_needs_a_length_and_a_version()
    {
        var whole = await RequireWholeAsync(200, ("Content-Encoding", "gzip"), ("Content-Length", "7"), ("ETag", "\"v1\""));
        var withoutVersion = await Assert.ThrowsAsync<StorageException>(() => RequireWholeAsync(200, ("Content-Encoding", "gzip"), ("Content-Length", "7")));
        var withoutLength = await Assert.ThrowsAsync<StorageException>(() => RequireWholeAsync(200, ("Content-Encoding", "gzip"), ("ETag", "\"v1\"")));

        Assert.Equal("gzip", whole.Encoding);
        Assert.Equal((FailureReason.Encoded, FailureReason.Encoded), (withoutVersion.Reason, withoutLength.Reason));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(500)]
    [InlineData(501)]
    public async Task If_HEAD_is_rejected_GET_decides(int status) => Assert.Null(await FromHeadAsync(status));

    [Theory]
    [InlineData(429, nameof(FailureReason.Throttled))]
    [InlineData(503, nameof(FailureReason.Throttled))]
    [InlineData(302, nameof(FailureReason.Redirected))]
    public async Task A_wait_or_a_redirect_counts_for_HEAD_too(int status, string reason) =>
        Assert.Equal(reason, (await Assert.ThrowsAsync<StorageException>(() => FromHeadAsync(status))).Reason.Name);

    [Theory]
    [InlineData("Content-Length", "-1")]
    [InlineData("Content-Encoding", "gzip")]
    [InlineData("Content-Encoding", "a;b")]
    public async Task If_HEAD_reports_what_cannot_be_true_GET_decides(string name, string value) => Assert.Null(await FromHeadAsync(200, (name, value)));

    [Fact]
    public async Task What_HEAD_reports_is_marked_as_such() => Assert.True((await FromHeadAsync(200, ("Content-Length", "7")))!.IsFromHead);

    [Theory]
    [InlineData("bytes 10-99/100", 10L, null, null)]
    [InlineData("bytes 10-99/*", 10L, null, null)]
    [InlineData("Bytes 10-99/100", 10L, null, null)]
    [InlineData("bytes 10-49/100", 10L, null, 50L)]
    [InlineData("bytes 10-19/100", 10L, 20L, null)]
    [InlineData("bytes 10-14/100", 10L, 20L, 15L)]
    public void A_part_may_end_before_what_was_requested(string contentRange, long from, long? end, long? expected) =>
        Assert.Equal(expected, RequirePart(new(from, end), ("Content-Range", contentRange)));

    [Theory]
    [InlineData("bytes 0-99/100")]
    [InlineData("bytes 11-99/100")]
    [InlineData("bytes 10-19/101")]
    [InlineData("bytes 10-20/100")]
    [InlineData("bytes */100")]
    [InlineData("items 10-19/100")]
    [InlineData("10-19/100")]
    [InlineData("")]
    public void A_part_that_was_not_requested_is_rejected(string contentRange)
    {
        var failure = Assert.Throws<StorageException>(() => RequirePart(new(10, 20), ("Content-Range", contentRange)));

        Assert.Equal((FailureReason.WrongRange, "The bytes 10-19 were requested; storage sent others (RFC 9110, section 15.3.7)."), (failure.Reason, failure.Message));
    }

    [Fact]
    public void A_part_has_as_many_bytes_as_its_range()
    {
        Assert.Null(RequirePart(new(10, 20), ("Content-Range", "bytes 10-19/100"), ("Content-Length", "10")));

        var failure = Assert.Throws<StorageException>(() => RequirePart(new(10, 20), ("Content-Range", "bytes 10-19/100"), ("Content-Length", "9")));
        Assert.Equal(FailureReason.WrongRange, failure.Reason);
    }

    [Theory]
    [InlineData("\"v2\"", nameof(FailureReason.ObjectChanged))]
    [InlineData("W/\"v1\"", nameof(FailureReason.VersionUnknown))]
    [InlineData("", nameof(FailureReason.VersionUnknown))]
    public void A_part_of_another_version_is_rejected(string etag, string reason) =>
        Assert.Equal(reason, Assert.Throws<StorageException>(() => RequirePart(new(10, 20), ("ETag", etag), ("Content-Range", "bytes 10-19/100"))).Reason.Name);

    [Fact]
    public void A_part_that_was_encoded_on_its_way_is_rejected_and_checksums_of_the_part_are_not_compared()
    {
        var headers = new HeaderDictionary { ["ETag"] = "\"v1\"", ["Content-Range"] = "bytes 10-19/100", ["Content-MD5"] = "AAAAAAAAAAAAAAAAAAAAAA==" };
        var head = Head with { Checksums = new ObjectChecksums([new Checksum(ChecksumKind.Md5, new byte[16].Select(_ => (byte)1).ToArray())]) };
        Assert.Null(ResponseValidator.RequirePart(headers, head, new(10, 20)));

        headers["Content-Encoding"] = "gzip";
        var failure = Assert.Throws<StorageException>(() => ResponseValidator.RequirePart(headers, head, new(10, 20)));

        Assert.Equal(FailureReason.Encoded, failure.Reason);
        Assert.Null(ResponseValidator.RequirePart(headers, head with { Encoding = "gzip" }, new(10, 20)));
    }

    [Fact]
    public void Statuses_that_may_be_caused_by_a_range_are_known() =>
        Assert.Equal([400, 403, 405, 416, 501], Enumerable.Range(100, 500).Where(ResponseValidator.MayRefuseRange));

    private static long? RequirePart(ByteRange wanted, params (string Name, string Value)[] fields)
    {
        var headers = new HeaderDictionary { ["ETag"] = "\"v1\"" };
        foreach (var (name, value) in fields)
        {
            headers[name] = value;
        }

        return ResponseValidator.RequirePart(headers, Head, wanted);
    }

    private async Task<ObjectHead> RequireWholeAsync(int status, params (string Name, string Value)[] headers)
    {
        await using var attempt = await SendAsync("GET", status, headers);
        return ResponseValidator.RequireWhole(attempt, _time);
    }

    private async Task<ObjectHead?> FromHeadAsync(int status, params (string Name, string Value)[] headers)
    {
        await using var attempt = await SendAsync("HEAD", status, headers);
        return ResponseValidator.FromHead(attempt, _time);
    }

    private async Task<SubRequest> SendAsync(string method, int status, (string Name, string Value)[] headers)
    {
        var source = TestSource.Create(pipeline: async context =>
        {
            context.Response.StatusCode = status;
            foreach (var (name, value) in headers)
            {
                context.Response.Headers[name] = value;
            }

            using var message = new HttpResponseMessage((HttpStatusCode)status) { RequestMessage = new HttpRequestMessage(HttpMethod.Get, "http://storage/s/k") };
            await context.Features.Get<ResponseCapture>()!.HandOverAsync(message);
        });
        var attempt = new SubRequest(_services.GetRequiredService<IServiceScopeFactory>(), new UpstreamTraffic(), TestSource.Object(source), new ResponseCapture([]), trace: null, CancellationToken.None);
        await attempt.SendAsync(method, new ByteRange(0), null, CancellationToken.None);
        return attempt;
    }
}
