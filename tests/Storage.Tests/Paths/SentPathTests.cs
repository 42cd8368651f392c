using Gateway.Storage.Paths;

namespace Storage.Tests.Paths;

public class SentPathTests
{
    [Theory]
    [InlineData("http://h/a/b/key", "key", "/a/b/")]
    [InlineData("http://h/key", "key", "/")]
    [InlineData("http://h/a/k/e/y", "k/e/y", "/a/")]
    [InlineData("http://h/a%20b/c%2520d", "c%20d", "/a b/")]
    [InlineData("http://h/a/key?x=1", "key", "/a/")]
    public void The_decoded_path_before_the_key_is_the_prefix(string sent, string key, string expected) =>
        Assert.Equal(expected, SentPath.FindPrefix(new Uri(sent), key));

    [Theory]
    [InlineData("http://h/a/other", "key")]
    [InlineData("http://h/a/key/", "key")]
    [InlineData("http://h/a-key", "key")]
    [InlineData("http://h/a/KEY", "key")]
    [InlineData("http://h/a/c%20d", "c%20d")]
    [InlineData("http://h/a/b", "a/b/c")]
    public void A_path_that_does_not_end_in_exactly_the_key_has_no_prefix(string sent, string key) =>
        Assert.Null(SentPath.FindPrefix(new Uri(sent), key));
}
