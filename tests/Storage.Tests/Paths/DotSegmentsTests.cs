using Gateway.Storage.Paths;

namespace Storage.Tests.Paths;

public class DotSegmentsTests
{
    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("/.")]
    [InlineData("/..")]
    [InlineData("/./a")]
    [InlineData("/a/../b")]
    [InlineData("/a/..")]
    [InlineData("a/./b")]
    public void A_segment_of_one_or_two_dots_is_found_anywhere(string path) => Assert.True(DotSegments.IsIn(path));

    [Theory]
    [InlineData("/%2e/a")]
    [InlineData("/%2E%2e/a")]
    [InlineData("/.%2e")]
    [InlineData("/%252e%252E/a")]
    [InlineData("/%25252e/a")]
    [InlineData("/..%2fa")]
    [InlineData("/a%2F..")]
    [InlineData("/a%252f..%252Fb")]
    [InlineData("/..%5ca")]
    [InlineData("/a/%25%32%65%25%32%65/b")]
    [InlineData("/a/%%32%65%%32%65/b")]
    [InlineData("/a/%2%65./b")]
    [InlineData("/%u002e%U002E/b")]
    [InlineData("/%25u00%32e./b")]
    public void Encoded_dots_and_separators_count_at_any_depth(string path) => Assert.True(DotSegments.IsIn(path));

    [Theory]
    [InlineData("/..\\a")]
    [InlineData("\\..\\a")]
    [InlineData("/a\\.")]
    public void A_backslash_separates_segments(string path) => Assert.True(DotSegments.IsIn(path));

    [Theory]
    [InlineData("/..;a=b/c")]
    [InlineData("/.;")]
    [InlineData("/..%3Ba")]
    public void Parameters_do_not_hide_a_segment(string path) => Assert.True(DotSegments.IsIn(path));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("/a")]
    [InlineData("/a.b")]
    [InlineData("/.a")]
    [InlineData("/..a")]
    [InlineData("/a..")]
    [InlineData("/...")]
    [InlineData("/....")]
    [InlineData("/a;..b")]
    [InlineData("/%2ea")]
    [InlineData("/%2e%2e%2e/")]
    [InlineData("/. ")]
    [InlineData("/%")]
    [InlineData("/%2")]
    [InlineData("/%25")]
    [InlineData("/%zz/")]
    [InlineData("/.%00/")]
    public void Other_segments_are_not_found(string path) => Assert.False(DotSegments.IsIn(path));

    [Fact]
    public void A_path_of_very_many_percent_signs_is_read_once() =>
        Assert.False(DotSegments.IsIn(string.Concat(Enumerable.Repeat("%25", 200_000))));
}
