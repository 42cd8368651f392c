using Gateway.Storage;

namespace Storage.Tests;

public class UpstreamOptionsTests
{
    [Theory]
    [InlineData(8 << 20, 16, 512 << 10)]
    [InlineData(0, 16, 0)]
    [InlineData(100, 1, 100)]
    public void A_small_object_is_one_of_those_that_fit_into_memory_together(long lookaheadBytes, int lookahead, long expected) =>
        Assert.Equal(expected, new UpstreamOptions { LookaheadBytes = lookaheadBytes, Lookahead = lookahead }.SmallObject);

    [Theory]
    [InlineData(16, 128, 128)]
    [InlineData(200, 128, 200)]
    public void The_larger_of_two_limits_bounds_concurrent_opens(int lookahead, int lookaheadSmall, int expected) =>
        Assert.Equal(expected, new UpstreamOptions { Lookahead = lookahead, LookaheadSmall = lookaheadSmall }.MaxConcurrentOpens);
}
