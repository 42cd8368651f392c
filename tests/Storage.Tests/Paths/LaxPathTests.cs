using Gateway.Storage.Paths;

namespace Storage.Tests.Paths;

public class LaxPathTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/a/b/")]
    [InlineData("/a.b_c-d~e")]
    public void A_plain_path_has_no_other_reading(string path) => Assert.Empty(LaxPath.GetReadings(path));

    [Theory]
    [InlineData("/a//b", "/a/b")]
    [InlineData("//a", "/a")]
    [InlineData("/a//", "/a/")]
    [InlineData("//", "/")]
    [InlineData("///", "/")]
    [InlineData("/;a/", "/")]
    [InlineData("/a%2Fb", "/a/b")]
    [InlineData("/a%252Fb", "/a/b")]
    [InlineData("/a;x=1/b", "/a/b")]
    [InlineData("/a/;x/b", "/a/b")]
    [InlineData("/a%3Bx/b", "/a/b")]
    [InlineData("/%u0061", "/a")]
    [InlineData("/%25u0061", "/a")]
    public void A_lax_server_may_read_a_path_as_another_one(string path, string reading) => Assert.Contains(reading, LaxPath.GetReadings(path));

    [Fact]
    public void A_path_is_never_listed_as_its_own_reading_and_no_reading_twice()
    {
        var readings = LaxPath.GetReadings("/a;p//%61%3bq").ToArray();

        Assert.Equal(readings.Distinct(), readings);
        Assert.DoesNotContain("/a;p//%61%3bq", readings);
        Assert.Contains("/a/a", readings);
    }

    [Theory]
    [InlineData(LaxPath.MaxDecodings, true)]
    [InlineData(LaxPath.MaxDecodings + 1, false)]
    public void Text_is_decoded_eight_times_at_most(int depth, bool isDecoded)
    {
        var path = "/%" + string.Concat(Enumerable.Repeat("25", depth - 1)) + "61";

        Assert.Equal(isDecoded, LaxPath.GetReadings(path).Contains("/a"));
    }

    [Theory]
    [InlineData("%61", "a")]
    [InlineData("%2561", "%61")]
    [InlineData("%u00e9%U00E9", "éé")]
    [InlineData("%u12", "%u12")]
    [InlineData("%zz", "%zz")]
    [InlineData("%C3%A9", "é")]
    [InlineData("a+b", "a+b")]
    public void One_decoding_removes_one_layer(string text, string expected) => Assert.Equal(expected, LaxPath.DecodeOnce(text));
}
