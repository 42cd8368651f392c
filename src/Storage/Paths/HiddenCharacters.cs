using System.Buffers;
using System.Globalization;
using System.Text;

namespace Gateway.Storage.Paths;

/// <summary>Characters that are invisible, that a terminal interprets, or that reorder the text around them.</summary>
/// <remarks>
/// These are: controls, line separators, format characters, the characters that Unicode requires renderers to ignore
/// (Default_Ignorable_Code_Point, with the ranges reserved for it), fillers and other blank letters, the signs for an embedded
/// object and for bytes that were not UTF-8, and noncharacters. Spaces and private-use characters are visible, as a gap and as a box, so they are
/// not hidden. Format characters that are drawn, such as U+06DD, are not hidden either.
/// <para>Emoji are the only exception, see <see cref="IndexIn"/>. Persian and Indic words that use U+200C or U+200D are not excepted: inside
/// a word a reader cannot see the difference, and neither can a program that does not know the script.</para>
/// </remarks>
public static class HiddenCharacters
{
    private const char Joiner = '\u200D';
    private const char EmojiStyle = '\uFE0F';
    private const char Keycap = '\u20E3';

    /// <summary>Hidden characters of the basic plane, in emoji too.</summary>
    public static readonly SearchValues<char> All = SearchValues.Create(
        [.. Enumerable.Range(char.MinValue, char.MaxValue + 1).Select(c => (char)c).Where(c => !char.IsSurrogate(c) && IsHidden(new Rune(c)))]);

    /// <summary>Whether a character is hidden wherever it appears. Unassigned characters are shown as a box.</summary>
    public static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
        UnicodeCategory.Format => !IsDrawn(rune.Value),
        _ => IsIgnorable(rune.Value) || IsBlank(rune.Value) || rune == Rune.ReplacementChar || IsNoncharacter(rune.Value),
    };

    /// <summary>The index of the first hidden character, or -1.</summary>
    /// <remarks>
    /// Two are visible through their effect on an emoji: U+200D between two emoji (a family), and U+FE0F after an emoji or inside a keycap. Tag
    /// characters stay hidden even in the flags that are made of them (England, Scotland, Wales): they can spell any text.
    /// </remarks>
    public static int IndexIn(ReadOnlySpan<char> text)
    {
        // Most names are visible ASCII.
        var shown = text.IndexOfAnyExceptInRange(' ', '~');
        for (var i = shown < 0 ? text.Length : shown; i < text.Length;)
        {
            Rune.DecodeFromUtf16(text[i..], out var rune, out var length);
            if (IsHidden(rune) && !IsPartOfEmoji(text, i))
            {
                return i;
            }

            i += length;
        }

        return -1;
    }

    /// <summary>The text without the exceptions of <see cref="IndexIn"/>: to a reader, names with and without them are the same.</summary>
    public static string WithoutEmojiJoiners(string text) =>
        text.Replace(Joiner.ToString(), "", StringComparison.Ordinal).Replace(EmojiStyle.ToString(), "", StringComparison.Ordinal);

    /// <summary>Makes text visible: a hidden character becomes <c>\u{200B}</c>, and long text is truncated.</summary>
    /// <param name="text">From a client or from storage.</param>
    /// <param name="maxLength">Maximum number of characters that are read.</param>
    public static string Escape(string text, int maxLength = 200) =>
        Replace(Truncate(text, maxLength), static hidden => string.Create(CultureInfo.InvariantCulture, $"\\u{{{hidden.Value:X4}}}"));

    /// <summary>Text of at most a number of characters, and an ellipsis if it was longer. It never ends in the middle of a surrogate pair.</summary>
    public static string Truncate(string text, int maxLength) =>
        text.Length <= maxLength ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength), "…");

    /// <summary>Replaces each hidden character with something visible.</summary>
    public static string Replace(ReadOnlySpan<char> text, Func<Rune, string> replacement)
    {
        var shown = new StringBuilder(text.Length);
        while (IndexIn(text) is >= 0 and var at)
        {
            Rune.DecodeFromUtf16(text[at..], out var hidden, out var length);
            shown.Append(text[..at]).Append(replacement(hidden));
            text = text[(at + length)..];
        }

        return shown.Append(text).ToString();
    }

    private static bool IsPartOfEmoji(ReadOnlySpan<char> text, int at)
    {
        var before = text[..at];
        var after = text[(at + 1)..];
        return text[at] switch
        {
            Joiner => BeginsWithEmoji(after) && EndsWithEmoji(WithoutStyle(before)),
            EmojiStyle => EndsWithEmoji(before) || (after is [Keycap, ..] && before is [.., (>= '0' and <= '9') or '#' or '*']),
            _ => false,
        };
    }

    /// <summary>Without the variation selector or skin tone that may follow an emoji.</summary>
    private static ReadOnlySpan<char> WithoutStyle(ReadOnlySpan<char> text) =>
        text is [.. var styled, EmojiStyle] ? styled
        : Rune.DecodeLastFromUtf16(text, out var last, out var length) == OperationStatus.Done && last.Value is >= 0x1F3FB and <= 0x1F3FF ? text[..^length]
        : text;

    private static bool BeginsWithEmoji(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsEmoji(rune);

    private static bool EndsWithEmoji(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsEmoji(rune);

    /// <summary>
    /// Whether a character is Extended_Pictographic, according to the runtime's only table of it: a joiner binds what follows to
    /// an emoji, but not to a letter (UAX #29, rule GB11).
    /// </summary>
    private static bool IsEmoji(Rune rune)
    {
        return Binds('❤', rune) && !Binds('a', rune);

        static bool Binds(char first, Rune second)
        {
            Span<char> text = stackalloc char[4];
            (text[0], text[1]) = (first, Joiner);
            text = text[..(2 + second.EncodeToUtf16(text[2..]))];
            return StringInfo.GetNextTextElementLength(text) == text.Length;
        }
    }

    /// <summary>Prepended_Concatenation_Mark: signs around or above the digits that follow.</summary>
    private static bool IsDrawn(int value) =>
        value is (>= 0x0600 and <= 0x0605) or 0x06DD or 0x070F or 0x0890 or 0x0891 or 0x08E2 or 0x110BD or 0x110CD;

    /// <summary>Default_Ignorable_Code_Point, except the category Format.</summary>
    private static bool IsIgnorable(int value) =>
        value is 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or (>= 0x180B and <= 0x180F) or 0x2065 or 0x3164 or (>= 0xFE00 and <= 0xFE0F)
            or 0xFFA0 or (>= 0xFFF0 and <= 0xFFF8) or (>= 0xE0000 and <= 0xE0FFF);

    /// <summary>Drawn as nothing: the empty Braille pattern, the object replacement, a null notehead, and fillers of Khitan and of hieroglyphs.</summary>
    private static bool IsBlank(int value) => value is 0x2800 or 0xFFFC or 0x1D159 or 0x16FE4 or 0x13441 or 0x13442;

    private static bool IsNoncharacter(int value) => (value & 0xFFFE) == 0xFFFE || value is >= 0xFDD0 and <= 0xFDEF;
}
