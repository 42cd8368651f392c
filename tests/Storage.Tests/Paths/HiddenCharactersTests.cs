using System.Text;
using Gateway.Storage.Paths;

namespace Storage.Tests.Paths;

public class HiddenCharactersTests
{
    [Theory]
    [InlineData(0x00)]
    [InlineData(0x0A)]
    [InlineData(0x1B)]
    [InlineData(0x7F)]
    [InlineData(0x9B)]
    [InlineData(0xAD)]
    [InlineData(0x034F)]
    [InlineData(0x061C)]
    [InlineData(0x115F)]
    [InlineData(0x180E)]
    [InlineData(0x200B)]
    [InlineData(0x200D)]
    [InlineData(0x202E)]
    [InlineData(0x2028)]
    [InlineData(0x2029)]
    [InlineData(0x2066)]
    [InlineData(0x2800)]
    [InlineData(0x3164)]
    [InlineData(0xFDD0)]
    [InlineData(0xFE0F)]
    [InlineData(0xFEFF)]
    [InlineData(0xFFA0)]
    [InlineData(0xFFFC)]
    [InlineData(0xFFFD)]
    [InlineData(0xFFFF)]
    [InlineData(0x1D159)]
    [InlineData(0x1D173)]
    [InlineData(0x1FFFE)]
    [InlineData(0xE0041)]
    [InlineData(0xE0FFF)]
    public void Controls_format_characters_and_blanks_are_hidden(int value) => Assert.True(HiddenCharacters.IsHidden(new Rune(value)));

    [Theory]
    [InlineData(' ')]
    [InlineData('a')]
    [InlineData(0x00A0)]
    [InlineData(0x00E9)]
    [InlineData(0x0301)]
    [InlineData(0x0600)]
    [InlineData(0x06DD)]
    [InlineData(0x3000)]
    [InlineData(0xE000)]
    [InlineData(0x10FFFD)]
    [InlineData(0x1F600)]
    [InlineData(0x110BD)]
    public void Spaces_marks_drawn_signs_and_private_characters_are_not_hidden(int value) => Assert.False(HiddenCharacters.IsHidden(new Rune(value)));

    [Theory]
    [InlineData("👨\u200D👩\u200D👧")]
    [InlineData("❤\uFE0F")]
    [InlineData("❤\uFE0F\u200D🔥")]
    [InlineData("👩🏽\u200D🚀")]
    [InlineData("1\uFE0F\u20E3")]
    [InlineData("#\uFE0F\u20E3*\uFE0F\u20E3")]
    public void An_emoji_may_have_joiners_and_a_style(string text) => Assert.Equal(-1, HiddenCharacters.IndexIn(text));

    [Theory]
    [InlineData("a\u200Db", 1)]
    [InlineData("👨\u200D", 2)]
    [InlineData("\u200D👩", 0)]
    [InlineData("👨\u200Da", 2)]
    [InlineData("a\uFE0F", 1)]
    [InlineData("1\uFE0F", 1)]
    [InlineData("a\uFE0F\u20E3", 1)]
    [InlineData("❤\uFE0F\uFE0F", 2)]
    [InlineData("👨\u200D\u200D👩", 2)]
    [InlineData("🏴\U000E0067", 2)]
    public void The_index_is_that_of_the_first_hidden_character(string text, int expected) => Assert.Equal(expected, HiddenCharacters.IndexIn(text));

    [Fact]
    public void All_holds_the_hidden_characters_of_the_basic_plane() =>
        Assert.All(
            Enumerable.Range(0, 0x10000).Where(c => !char.IsSurrogate((char)c)),
            c => Assert.Equal(HiddenCharacters.IsHidden(new Rune(c)), HiddenCharacters.All.Contains((char)c)));

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\u200Bb", "a\\u{200B}b")]
    [InlineData("\u001b[31m", "\\u{001B}[31m")]
    [InlineData("x\U000E0041", "x\\u{E0041}")]
    [InlineData("❤\uFE0F", "❤\uFE0F")]
    public void Escaped_text_is_visible(string text, string expected) => Assert.Equal(expected, HiddenCharacters.Escape(text));

    // An attribute cannot hold text that is not UTF-8.
    [Fact]
    public void An_unpaired_surrogate_is_hidden()
    {
        Assert.Equal(2, HiddenCharacters.IndexIn("ok\ud800"));
        Assert.Equal(0, HiddenCharacters.IndexIn("\udc00\ud800"));
        Assert.Equal("a\\u{FFFD}b", HiddenCharacters.Escape("a\ud800b"));
    }

    [Theory]
    [InlineData("abcd", 4, "abcd")]
    [InlineData("abcde", 4, "abcd…")]
    [InlineData("abc😀", 4, "abc…")]
    [InlineData("ab😀c", 4, "ab😀…")]
    public void Long_text_is_truncated_between_characters(string text, int maxLength, string expected) => Assert.Equal(expected, HiddenCharacters.Escape(text, maxLength));

    [Fact]
    public void Each_hidden_character_is_replaced_once() =>
        Assert.Equal("_a_b_", HiddenCharacters.Replace("\u200Ba\U000E0041b\r", static _ => "_"));

    [Fact]
    public void Without_joiners_and_styles_two_emoji_remain() =>
        Assert.Equal("👨👩", HiddenCharacters.WithoutEmojiJoiners("👨\u200D👩\uFE0F"));
}
