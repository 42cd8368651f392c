using Gateway.Archiving;
using Gateway.Bundles;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Storage.Http;
using Gateway.Streaming;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Bundles;

public class BundleResponseTests
{
    private readonly HttpResponse _response = new DefaultHttpContext().Response;

    [Fact]
    public void A_whole_archive_is_a_200_with_its_length_validators_and_counts()
    {
        var plan = TestBundle.Plan(TestBundle.Entry(), TestBundle.MissingEntry("s/b", 1));

        BundleResponse.WriteHeaders(_response, plan, new ByteSelection(null, 2048), sha256: null);

        Assert.Equal((200, 2048L), (_response.StatusCode, _response.ContentLength));
        Assert.Equal(plan.ETag, _response.Headers.ETag);
        Assert.Equal("Fri, 02 Jan 2026 03:04:05 GMT", _response.Headers.LastModified);
        Assert.Equal(["bytes", "private, no-transform", "no"], Values("Accept-Ranges", "Cache-Control", "X-Accel-Buffering"));
        Assert.Equal(["1", "1", "100"], Values("Bundle-Entries", "Bundle-Skipped", "Bundle-Size"));
        Assert.False(_response.Headers.ContainsKey("Repr-Digest"));
        Assert.False(_response.Headers.ContainsKey("Content-Range"));
    }

    [Theory]
    [InlineData(10, 20L, 2048L, "bytes 10-19/2048", 10L)]
    [InlineData(10, 20L, null, "bytes 10-19/*", 10L)]
    [InlineData(10, null, 2048L, "bytes 10-9007199254740991/*", null)]
    [InlineData(10, null, null, "bytes 10-9007199254740991/*", null)]
    public void A_range_is_a_206_and_an_open_end_is_the_very_large_value(long from, long? end, long? length, string contentRange, long? contentLength)
    {
        BundleResponse.WriteHeaders(_response, TestBundle.Plan(TestBundle.Entry()), new ByteSelection(new ByteRange(from, end), length), sha256: null);

        Assert.Equal((206, contentRange, contentLength), (_response.StatusCode, _response.Headers.ContentRange.ToString(), _response.ContentLength));
    }

    [Theory]
    [InlineData(ArchiveFormat.TarGz, "application/gzip", "attachment; filename=bundle.tar.gz; filename*=UTF-8''bundle.tar.gz")]
    [InlineData(ArchiveFormat.Zip, "application/zip", "attachment; filename=bundle.zip; filename*=UTF-8''bundle.zip")]
    public void The_format_decides_the_media_type_and_the_extension(ArchiveFormat format, string mediaType, string disposition)
    {
        var plan = BundlePlan.Create(TestBundle.Request(format: format), [TestBundle.Entry()]);

        BundleResponse.WriteHeaders(_response, plan, new ByteSelection(null, null), sha256: null);

        Assert.Equal((mediaType, disposition), (_response.ContentType, _response.Headers.ContentDisposition.ToString()));
    }

    [Fact]
    public void Without_an_ETag_there_are_no_ranges()
    {
        var plan = TestBundle.Plan(TestBundle.Entry(head: TestBundle.Head(etag: null)));

        BundleResponse.WriteHeaders(_response, plan, new ByteSelection(null, null), sha256: null);

        Assert.Equal("none", _response.Headers.AcceptRanges);
        Assert.False(_response.Headers.ContainsKey("ETag"));
        Assert.True(_response.Headers.ContainsKey("Last-Modified"));
    }

    [Fact]
    public void Where_nothing_was_checked_neither_a_size_nor_skipped_entries_are_known()
    {
        var entry = TestBundle.Entry() with { IsChecked = false, Head = null };
        var plan = BundlePlan.Create(TestBundle.Request(missing: MissingPolicy.Abort), [entry]);

        BundleResponse.WriteHeaders(_response, plan, new ByteSelection(null, null), sha256: null);

        Assert.Equal("1", _response.Headers["Bundle-Entries"]);
        Assert.All(new[] { "Bundle-Skipped", "Bundle-Size", "ETag", "Last-Modified" }, name => Assert.False(_response.Headers.ContainsKey(name)));
    }

    [Fact]
    public void A_known_hash_is_sent_as_a_digest()
    {
        BundleResponse.WriteHeaders(_response, TestBundle.Plan(TestBundle.Entry()), new ByteSelection(null, 1), sha256: new byte[32]);

        Assert.Equal("sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", _response.Headers["Repr-Digest"]);
    }

    [Fact]
    public void The_validator_of_an_archive_is_strong_and_that_of_its_plan_is_weak()
    {
        var plan = TestBundle.Plan(TestBundle.Entry());

        BundleResponse.WriteNotModified(_response, plan);
        Assert.Equal((304, plan.ETag, "private, no-transform"), (_response.StatusCode, _response.Headers.ETag.ToString(), _response.Headers.CacheControl.ToString()));
        BundleResponse.WritePlanHeaders(_response, plan);

        Assert.Equal((304, $"W/{plan.ETag}", "private, no-cache"), (_response.StatusCode, _response.Headers.ETag.ToString(), _response.Headers.CacheControl.ToString()));
        Assert.False(_response.Headers.ContainsKey("Content-Type"));
    }

    private string[] Values(params string[] names) => [.. names.Select(name => _response.Headers[name].ToString())];
}
