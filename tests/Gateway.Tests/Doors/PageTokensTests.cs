using Gateway.Doors;
using Gateway.Links;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Doors;

public class PageTokensTests
{
    private readonly PageTokens _tokens = Create(1);

    [Theory]
    [InlineData("t")]
    [InlineData("a/b=+é😀\u0001")]
    [InlineData("")]
    public void A_token_is_opened_as_it_was(string token) => Assert.Equal(token, _tokens.Open(_tokens.Seal(token, "s/x/"), "s/x/"));

    [Fact]
    public void The_longest_token_of_a_store_can_be_used()
    {
        var token = new string('k', 4096);

        Assert.Equal(token, _tokens.Open(_tokens.Seal(token, "s/x/"), "s/x/"));
    }

    [Fact]
    public void A_page_always_has_the_same_token_and_another_page_or_folder_another_one()
    {
        Assert.Equal(_tokens.Seal("t", "s/x/"), _tokens.Seal("t", "s/x/"));
        Assert.Equal(3, new[] { _tokens.Seal("t", "s/x/"), _tokens.Seal("u", "s/x/"), _tokens.Seal("t", "s/y/") }.Select(sealedToken => sealedToken[..16]).Distinct().Count());
    }

    [Fact]
    public void Every_changed_character_makes_it_invalid()
    {
        var text = _tokens.Seal("token", "s/x/");

        for (var i = 0; i < text.Length; i++)
        {
            Assert.Null(_tokens.Open(text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..], "s/x/"));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("t")]
    [InlineData("====")]
    [InlineData("é")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void Text_that_is_not_a_token_is_invalid(string text) => Assert.Null(_tokens.Open(text, "s/x/"));

    [Fact]
    public void A_token_is_valid_for_its_folder_only() => Assert.Null(_tokens.Open(_tokens.Seal("t", "s/x/"), "s/"));

    [Fact]
    public void A_key_that_is_no_longer_the_first_opens_tokens_and_a_removed_one_does_not()
    {
        var text = _tokens.Seal("t", "s/x/");

        Assert.Equal("t", Create(2, 1).Open(text, "s/x/"));
        Assert.Null(Create(2).Open(text, "s/x/"));
    }

    private static PageTokens Create(params byte[] keys)
    {
        var options = new BundleLinkOptions();
        foreach (var key in keys)
        {
            options.Keys.Add(Convert.ToBase64String([.. Enumerable.Repeat(key, 32)]));
        }

        return new PageTokens(new LinkKeys(Options.Create(options)));
    }
}
