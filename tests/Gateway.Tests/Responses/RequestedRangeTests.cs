using Gateway.Responses;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Responses;

public class RequestedRangeTests
{
    private const long Length = 1000;
    private const string ETag = "\"v1\"";

    private readonly HttpRequest _request = new DefaultHttpContext().Request;

    [Theory]
    [InlineData("bytes=0-", 0, Length, true)]
    [InlineData("bytes=10-19", 10, 20L, false)]
    [InlineData("bytes=0-0", 0, 1L, false)]
    [InlineData("Bytes=10-19", 10, 20L, false)]
    [InlineData("bytes=990-", 990, Length, true)]
    [InlineData("bytes=990-999", 990, Length, true)]
    [InlineData("bytes=990-998", 990, 999L, false)]
    [InlineData("bytes=990-5000", 990, Length, true)]
    [InlineData("bytes=999-9223372036854775807", 999, Length, true)]
    [InlineData("bytes=-10", 990, Length, true)]
    [InlineData("bytes=-5000", 0, Length, true)]
    public void A_range_of_an_archive_of_known_length_ends_in_it(string range, long from, long end, bool reachesEnd) =>
        Assert.Equal(new ByteRange(from, end) { ReachesEnd = reachesEnd }, From(range, Length, Length));

    [Theory]
    [InlineData("bytes=1000-")]
    [InlineData("bytes=1000-1001")]
    [InlineData("bytes=5000-")]
    [InlineData("bytes=-0")]
    public void A_range_past_the_end_is_a_416_with_the_length(string range)
    {
        var problem = Assert.Throws<BundleProblemException>(() => From(range, Length, Length));

        Assert.Equal((416, Length, FailureReason.InvalidRequest), (problem.StatusCode, problem.ArchiveLength, problem.Reason));
        Assert.Equal("The archive has 1000 bytes; the range begins past its end.", problem.Message);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("bytes=0-1,5-6")]
    [InlineData("items=0-1")]
    [InlineData("bytes=5-1")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes")]
    public void Any_other_range_is_answered_with_the_whole_archive(string? range) => Assert.Null(From(range, Length, Length));

    [Fact]
    public void Without_a_validator_there_are_no_ranges() => Assert.Null(From("bytes=10-19", Length, Length, etag: null));

    [Theory]
    [InlineData("bytes=10-19", 10, 20L, false)]
    [InlineData("bytes=10-", 10, Length, true)]
    [InlineData("bytes=-10", 990, Length, true)]
    public void The_end_of_a_range_may_be_taken_from_a_remembered_length(string range, long from, long end, bool reachesEnd) =>
        Assert.Equal(new ByteRange(from, end) { ReachesEnd = reachesEnd }, From(range, Length, most: 2000));

    [Fact]
    public void An_expected_length_never_completes_a_download()
    {
        Assert.Equal(new ByteRange(1000), From("bytes=1000-", Length, most: 2000));
        Assert.Null(From("bytes=1000-1500", Length, most: 2000));

        Assert.Null(Assert.Throws<BundleProblemException>(() => From("bytes=-0", Length, most: 2000)).ArchiveLength);
    }

    [Theory]
    [InlineData("bytes=1-", true)]
    [InlineData("bytes=1999-", true)]
    [InlineData("bytes=0-", false)]
    [InlineData("bytes=10-19", false)]
    [InlineData("bytes=-10", false)]
    [InlineData("bytes=-0", false)]
    public void Of_an_archive_of_unknown_length_only_the_rest_can_be_served(string range, bool isServed)
    {
        var served = From(range, null, most: 2000);

        Assert.Equal(isServed, served is not null);
        Assert.True(served is null or { End: null, ReachesEnd: false });
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Length)]
    public void A_range_that_begins_past_the_greatest_possible_length_is_not_generated(long? length)
    {
        var problem = Assert.Throws<BundleProblemException>(() => From("bytes=2000-", length, most: 2000));

        Assert.Equal((416, null, "The range begins past the end of the archive."), (problem.StatusCode, problem.ArchiveLength, problem.Message));
    }

    [Theory]
    [InlineData("bytes=5000-", 5000L)]
    [InlineData("bytes=10-19", null)]
    public void Where_not_even_a_bound_is_known_the_rest_is_served(string range, long? from) => Assert.Equal(from, From(range, null, most: null)?.From);

    [Fact]
    public void A_browser_accepts_a_part_only_with_its_length()
    {
        Assert.False(RequestedRange.NeedsLength(_request));

        _request.Headers["Sec-Fetch-Mode"] = "navigate";

        Assert.True(RequestedRange.NeedsLength(_request));
    }

    private ByteRange? From(string? range, long? length, long? most, string? etag = ETag)
    {
        _request.Headers.Range = range;
        return RequestedRange.From(_request, etag, length, most);
    }
}
