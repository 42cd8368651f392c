using Gateway.Storage.Http;

namespace Storage.Tests.Http;

public class ContentLengthTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("007", 7L)]
    [InlineData("1125899906842624", 1L << 50)]
    [InlineData("1125899906842625", null)]
    [InlineData("99999999999999999999", null)]
    [InlineData("-1", null)]
    [InlineData("+1", null)]
    [InlineData(" 1", null)]
    [InlineData("1,000", null)]
    [InlineData("1e3", null)]
    [InlineData("٣", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void A_length_consists_of_digits_and_is_1_PiB_at_most(string? text, long? expected) => Assert.Equal(expected, ContentLength.Parse(text));
}
