using Gateway.Storage.Http;

namespace Storage.Tests.Http;

public class HttpTokenTests
{
    // RFC 9110, section 5.6.2.
    private const string Marks = "!#$%&'*+-.^_`|~";

    [Fact]
    public void A_token_has_letters_digits_and_fifteen_marks_and_nothing_else() =>
        Assert.All(
            Enumerable.Range(0, 0x180),
            c => Assert.Equal(c < 0x80 && (char.IsAsciiLetterOrDigit((char)c) || Marks.Contains((char)c)), HttpToken.IsToken($"a{(char)c}")));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(" a")]
    [InlineData("a ")]
    public void Empty_text_and_text_with_spaces_is_not_a_token(string text) => Assert.False(HttpToken.IsToken(text));
}
