using Gateway.Storage.Http;

namespace Storage.Tests.Http;

public class EntityTagTests
{
    [Theory]
    [InlineData("\"v1\"", "\"v1\"")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("W/\"v1\"", null)]
    [InlineData("v1", null)]
    [InlineData("*", null)]
    [InlineData("\"a\\\"b\"", null)]
    [InlineData("\"\u00E9\"", null)]
    [InlineData("", null)]
    public void Only_strong_validators_count(string text, string? expected) => Assert.Equal(expected, EntityTag.Strong(text));

    [Theory]
    [InlineData("\"d41d8cd98f00b204e9800998ecf8427e-3\"", "\"d41d8cd98f00b204e9800998ecf8427e-3\"")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e", "\"d41d8cd98f00b204e9800998ecf8427e\"")]
    [InlineData("0x8DC3F1A2B4C5D6E", "\"0x8DC3F1A2B4C5D6E\"")]
    [InlineData("W/\"v1\"", null)]
    [InlineData("W/v1", null)]
    [InlineData("a\"b", null)]
    [InlineData("a b", null)]
    [InlineData("a\nb", null)]
    [InlineData("", null)]
    public void In_a_listing_the_quotes_may_be_missing(string text, string? expected) => Assert.Equal(expected, EntityTag.StrongOfListing(text));
}
