using System.Security.Cryptography;
using CsCheck;
using Gateway.Links;

namespace Gateway.Tests.Links;

public class LinkTokenTests
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private static readonly DateTimeOffset Expires = new(2026, 12, 1, 2, 3, 4, TimeSpan.Zero);

    [Fact]
    public void Signed_content_survives_a_round_trip() =>
        Gen.Byte.Array[0, 2000].Sample(content =>
            LinkToken.Open([Key], LinkToken.Create(Key, Expires, content)) is var (expires, opened) && expires == Expires && opened.AsSpan().SequenceEqual(content));

    [Fact]
    public void Only_configured_keys_open_a_token()
    {
        var other = RandomNumberGenerator.GetBytes(32);
        var token = LinkToken.Create(Key, Expires, "x"u8);

        Assert.NotNull(LinkToken.Open([other, Key], token));
        Assert.Null(LinkToken.Open([other], token));
        Assert.Null(LinkToken.Open([], token));
    }

    [Fact]
    public void A_token_with_any_character_changed_is_rejected()
    {
        var token = LinkToken.Create(Key, Expires, "some content"u8);
        for (var i = 0; i < token.Length - 1; i++)
        {
            var changed = token.ToCharArray();
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            Assert.Null(LinkToken.Open([Key], changed));
        }
    }

    [Fact]
    public void Arbitrary_input_is_rejected() =>
        Gen.OneOf(Gen.String[0, 200], Gen.Char["ABCabc012-_=+/ %"].Array[0, 300].Select(chars => new string(chars)))
            .Sample(token => LinkToken.Open([Key], token) is null);

    [Fact]
    public void A_token_of_one_version_is_rejected_as_another()
    {
        // Created by version 1 with a key of 32 times 7.
        byte[] key = [.. Enumerable.Repeat((byte)7, 32)];
        const string Old = "AAAAAGsOKthvbGQgY29udGVudELksL4mtafBOr8Arlt9s6JfILuNxgmvhEJioeLyxgGU";

        Assert.Equal("old content"u8.ToArray(), LinkToken.Open([key], Old, version: 1)!.Value.Content);
        Assert.Null(LinkToken.Open([key], Old));
        Assert.Null(LinkToken.Open([key], LinkToken.Create(key, Expires, "x"u8), version: 1));
    }
}
