using Gateway.Storage.Http;

namespace Storage.Tests.Http;

public class ByteRangeTests
{
    [Theory]
    [InlineData(0, 1L, "bytes=0-0")]
    [InlineData(5, 10L, "bytes=5-9")]
    [InlineData(5, null, "bytes=5-")]
    [InlineData(1L << 40, (1L << 40) + 2, "bytes=1099511627776-1099511627777")]
    public void A_header_names_the_last_byte_where_the_range_names_the_offset_after_it(long from, long? end, string expected) =>
        Assert.Equal(expected, new ByteRange(from, end).ToHeader());

    [Fact]
    public void A_range_reaches_the_end_only_if_it_says_so() =>
        Assert.False(new ByteRange(5).ReachesEnd);
}
