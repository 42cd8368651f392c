using Gateway.Storage.Http;
using Gateway.Streaming;

namespace Gateway.Tests.Streaming;

public class ByteSelectionTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(100L)]
    public void A_whole_archive_ends_at_its_length_if_that_is_known(long? length)
    {
        var selection = new ByteSelection(null, length);

        Assert.Equal((length, length), (selection.Count, selection.End));
    }

    [Theory]
    [InlineData(20L, 10L)]
    [InlineData(null, null)]
    public void A_range_ends_at_its_own_end(long? end, long? count)
    {
        var selection = new ByteSelection(new ByteRange(10, end), 100);

        Assert.Equal((count, end), (selection.Count, selection.End));
    }
}
