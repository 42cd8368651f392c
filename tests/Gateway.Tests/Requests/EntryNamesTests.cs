using System.Globalization;
using System.Text;
using CsCheck;
using Gateway.Requests;
using Gateway.Storage.Paths;

namespace Gateway.Tests.Requests;

public class EntryNamesTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("a/b/c.txt")]
    [InlineData("a b/ü/日本.txt")]
    [InlineData("100%.txt")]
    [InlineData("...a/.hidden")]
    [InlineData("😀")]
    [InlineData("to be continued….txt")]
    [InlineData("AC∕DC ½.mp3")]
    [InlineData("\uFF76\uFF9E\uFF77\uFF9E.txt")]
    [InlineData("ประเทศไทย/ที่นี่.txt")]
    [InlineData("हिन्दी/क्षत्रिय.txt")]
    [InlineData("Tiếng Việt.txt")]
    [InlineData("ﷺ.txt")]
    [InlineData("a;b/..c;d")]
    [InlineData("\uF8FF.txt")]
    [InlineData("\u06DD1.txt")]
    public void Names_that_stay_in_their_folder_are_safe(string name)
    {
        Assert.Null(EntryNames.Unsafe(name));
        Assert.Null(EntryNames.Unportable(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData("a\\b")]
    [InlineData("C:/a")]
    [InlineData("a%2fb")]
    [InlineData("a\0b")]
    [InlineData("a\u0085")]
    [InlineData("a\u202Eb")]
    [InlineData("\uD800")]
    [InlineData("\uDC00\uD800")]
    [InlineData("a\uFFFD")]
    [InlineData("a\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301")]
    public void Names_that_lead_elsewhere_or_hide_something_are_unsafe(string name) => Assert.NotNull(EntryNames.Unsafe(name));

    [Theory]
    [InlineData("a\u200Bb")]
    [InlineData("a\u2060b")]
    [InlineData("a\u00ADb")]
    [InlineData("\u3164")]
    [InlineData("a\u115F\u1160\uFFA0")]
    [InlineData("a\u17B4\u17B5")]
    [InlineData("a\u180B\u180E\u180F")]
    [InlineData("a\u034F")]
    [InlineData("a\u2061\u2064")]
    [InlineData("a\u2065")]
    [InlineData("a\uFFF9b\uFFFAc\uFFFB")]
    [InlineData("a\uFFFC")]
    [InlineData("\u2800")]
    [InlineData("a\uFDD0")]
    [InlineData("a\U0001FFFE")]
    [InlineData("a\U0001D173")]
    [InlineData("a\U0001D159")]
    [InlineData("a\U000E0001\U000E0067")]
    [InlineData("a\U000E0100")]
    [InlineData("a\U000E0FFF")]
    [InlineData(".g\u200Dit")]
    [InlineData("क्\u200Dष")]
    [InlineData("می\u200Cخواهم")]
    [InlineData("👨\u200D")]
    [InlineData("\u200D👨")]
    [InlineData("👨\u200Da")]
    [InlineData("a\u200D👨")]
    [InlineData("👨\u200D\u200D👩")]
    [InlineData("👨\u200D\u0301")]
    [InlineData("👨/\u200D👩")]
    [InlineData("가\u200D나")]
    [InlineData("🇩\u200D🇪")]
    [InlineData("a\uFE0F")]
    [InlineData("1\uFE0F")]
    [InlineData("1\uFE0Fa")]
    [InlineData("❤\uFE0E")]
    [InlineData("❤\uFE0F\uFE0F")]
    [InlineData("🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F")]
    public void Names_that_contain_something_invisible_are_unsafe(string name) =>
        Assert.Contains("U+", EntryNames.Unsafe(name), StringComparison.Ordinal);

    [Theory]
    [InlineData("👨\u200D👩\u200D👧\u200D👦.jpg")]
    [InlineData("👩🏽\u200D🚀")]
    [InlineData("❤\uFE0F\u200D🔥")]
    [InlineData("🏳\uFE0F\u200D🌈/a")]
    [InlineData("🏴\u200D☠\uFE0F")]
    [InlineData("🏃🏽\u200D♀\uFE0F\u200D➡\uFE0F")]
    [InlineData("1\uFE0F\u20E3 #\uFE0F\u20E3")]
    [InlineData("©\uFE0F 2026")]
    [InlineData("🇩🇪")]
    public void Emoji_may_be_joined(string name) => Assert.Null(EntryNames.Unsafe(name));

    [Fact]
    public void All_default_ignorable_characters_are_hidden_and_no_letter_is()
    {
        foreach (var rune in EveryRune())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (category is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.SpaceSeparator)
            {
                Assert.False(HiddenCharacters.IsHidden(rune), $"U+{rune.Value:X4}");
            }

            Assert.Equal(rune.IsBmp && HiddenCharacters.IsHidden(rune), rune.IsBmp && HiddenCharacters.All.Contains((char)rune.Value));
        }
    }

    [Theory]
    [InlineData("..;/a")]
    [InlineData("a/..;x/b")]
    [InlineData("a/.;/b")]
    [InlineData("a/..;")]
    [InlineData("a/..?/b")]
    [InlineData("a/..#/b")]
    [InlineData("a/.. /b")]
    [InlineData("a/..\u3000/b")]
    [InlineData("a/..\uFF1Bx/b")]
    [InlineData("a/..\u037Ex/b")]
    [InlineData("a/‥/b")]
    [InlineData("a/․./b")]
    [InlineData("a/．．/b")]
    [InlineData("a/﹒/b")]
    [InlineData("a/︰/b")]
    [InlineData("..∕b")]
    [InlineData("..⁄b")]
    [InlineData("a⧸..⧸b")]
    [InlineData("a∖..")]
    [InlineData("a／b")]
    [InlineData("a＼b")]
    [InlineData("a﹨b")]
    [InlineData("℅")]
    [InlineData("a/%u002e%u002E/b")]
    public void Names_that_some_servers_read_differently_are_unsafe(string name) => Assert.NotNull(EntryNames.Unsafe(name));

    [Fact]
    public void No_character_silently_becomes_a_slash_or_a_dot_segment()
    {
        foreach (var rune in EveryRune())
        {
            var name = $"a/.{rune}/b";
            if (EntryNames.Unsafe(name) is null)
            {
                var segments = name.Normalize(NormalizationForm.FormKD).Split('/', '\\');
                Assert.True(segments.Length == 3 && segments[1].Split(';')[0].Trim() is not "." and not "..", $"U+{rune.Value:X4}");
            }
        }
    }

    // The cost of sorting marks is the number of consecutive marks per character, so the test counts this.
    [Fact]
    public void The_cost_of_normalizing_a_name_is_limited_for_marks_of_every_category()
    {
        foreach (var rune in EveryRune())
        {
            var text = rune.ToString();
            var last = "\u0345" + text;
            var moves = last.Normalize(NormalizationForm.FormKD) != "\u0345" + text.Normalize(NormalizationForm.FormKD);
            var most = string.Concat(Enumerable.Repeat(text + "\u0316", 16));
            Assert.False(moves && EntryNames.Unsafe("a" + most) is null, $"U+{rune.Value:X4} can be moved, and more than 30 in a row are accepted");
        }
    }

    [Theory]
    [InlineData("\u302E\u302A")]
    [InlineData("\U0001D16D\u302E")]
    [InlineData("\uFF9E\u0301")]
    [InlineData("\u0344\u0316")]
    [InlineData("\u20DD\u0316")]
    public void Thousands_of_marks_are_rejected_before_they_are_sorted(string marks) =>
        Assert.Equal("contains more than 30 combining marks in a row", EntryNames.Unsafe("a" + string.Concat(Enumerable.Repeat(marks, 500))));

    [Fact]
    public void The_compared_text_grows_only_by_a_constant_factor() =>
        Assert.NotNull(EntryNames.Unsafe(new string('\uFDFA', 1000)));

    [Theory]
    [InlineData("con")]
    [InlineData("a/Nul.tar.gz")]
    [InlineData("COM1")]
    [InlineData("lpt³.x")]
    [InlineData("con .txt")]
    [InlineData("a./b")]
    [InlineData("a ")]
    [InlineData("ab:c")]
    [InlineData("a|b")]
    public void Names_that_Windows_cannot_unpack_are_not_portable(string name)
    {
        Assert.Null(EntryNames.Unsafe(name));
        Assert.NotNull(EntryNames.Unportable(name));
    }

    [Fact]
    public void Names_may_be_as_long_as_the_longest_path()
    {
        Assert.Null(EntryNames.Unsafe(new string('a', 4095)));
        Assert.NotNull(EntryNames.Unsafe(new string('a', 4096)));
        Assert.NotNull(EntryNames.Unsafe(new string('ä', 2048)));
        Assert.NotNull(EntryNames.Unportable(new string('a', 256)));
    }

    [Theory]
    [InlineData("s/a//b")]
    [InlineData("s/a/")]
    [InlineData("s//a")]
    [InlineData("s/a%2fb")]
    [InlineData("s/%25")]
    public void An_exact_id_need_not_be_a_valid_name(string id)
    {
        Assert.NotNull(EntryNames.Unsafe(id));
        Assert.Null(EntryNames.UnsafeId(id));
    }

    [Theory]
    [InlineData("s/%5c")]
    [InlineData("s/a%00b")]
    [InlineData("s/%e2%80%ae")]
    [InlineData("s/%u002e%u002e/x")]
    [InlineData("s/%E2%80%A5/x")]
    [InlineData("s/a/%EF%BC%8F..%EF%BC%8Fx")]
    [InlineData("s/%c0%ae%C0%AE/x")]
    [InlineData("s/%25c0%25ae/x")]
    public void An_exact_id_hides_nothing_in_its_encoding(string id) => Assert.NotNull(EntryNames.UnsafeId(id));

    [Fact]
    public void No_exact_id_leaves_its_source_however_often_it_is_decoded() =>
        Gen.OneOf(Gen.String["./\\%25efEF;a"], Gen.String["%235e/"]).Sample(
            id =>
            {
                for (var (text, last) = (id, ""); EntryNames.UnsafeId(id) is null && text != last; (text, last) = (Uri.UnescapeDataString(text), text))
                {
                    Assert.DoesNotContain(text.Split('/', '\\'), segment => segment.Split(';')[0] is "." or "..");
                }
            },
            iter: 100_000);

    [Fact]
    public void An_exact_id_that_is_encoded_many_times_is_rejected_cheaply() =>
        Assert.Equal("is percent-encoded more than 8 times", EntryNames.UnsafeId("s/%" + string.Concat(Enumerable.Repeat("25", 2000))));

    [Fact]
    public void No_safe_name_leaves_the_folder_it_is_put_in()
    {
        var folder = Path.GetFullPath("/base/folder");

        Gen.OneOf(Gen.String["./\\%2e:a"], Gen.String).Sample(name =>
            EntryNames.Unsafe(name) is not null
            || Path.GetFullPath(Path.Combine(folder, name)) == folder + "/" + name);
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", "A")]
    [InlineData("é", "e\u0301")]
    [InlineData("a", "a/b")]
    [InlineData("x/A/b", "X/a")]
    [InlineData("straße", "STRASSE")]
    [InlineData("straße", "STRAẞE")]
    [InlineData("oﬃce", "office")]
    [InlineData("ﬀ", "FF")]
    [InlineData("Σ", "ς")]
    [InlineData("σ", "ς")]
    [InlineData("ſ", "S")]
    [InlineData("K", "k")]
    [InlineData("ΐ", "Ϊ́")]
    [InlineData("ᾳ", "ΑΙ")]
    [InlineData("İ", "i\u0307")]
    [InlineData("և", "եւ")]
    [InlineData("ａ", "A")]
    [InlineData("①", "1")]
    [InlineData("ｶﾞ", "ガ")]
    [InlineData("𐐀", "𐐨")]
    [InlineData("a\u00A0b", "a b")]
    [InlineData("👨\u200D👩", "👨👩")]
    [InlineData("❤\uFE0F", "❤")]
    [InlineData("ß", "SS/a")]
    public void Names_that_one_folder_cannot_contain_together_collide(string first, string second)
    {
        Assert.Equal([(0, 1)], EntryNames.Collisions([first, second]).Select(pair => (pair.First, pair.Second)));
        Assert.Equal([(0, 1)], EntryNames.Collisions([second, first]).Select(pair => (pair.First, pair.Second)));
    }

    [Fact]
    public void Names_that_one_folder_can_contain_do_not_collide() =>
        Assert.Empty(EntryNames.Collisions(["a", "b/a", "b/c", "ab", "b/cd", "a!", "a-b", "a b/c", "b/c.d"]));

    [Fact]
    public void Collisions_are_found_as_if_every_pair_were_compared() =>
        Gen.OneOf(Gen.Const("a"), Gen.Const("b"), Gen.Const("ab"), Gen.Const("a!"), Gen.Const("a b")).Array[1, 4]
            .Select(segments => string.Join('/', segments)).Array[1, 6].Sample(
            names =>
            {
                var colliding = Enumerable.Range(0, names.Length).Where(i => Enumerable.Range(0, names.Length).Any(j =>
                    i != j && (names[i] == names[j] || names[i].StartsWith(names[j] + "/", StringComparison.Ordinal))));
                return colliding.Any() == EntryNames.Collisions(names).Any();
            });

    [Fact]
    public void A_file_above_several_levels_collides_with_everything_below_it() =>
        Assert.Equal([1, 2, 3], EntryNames.Collisions(["a", "a/b/c", "a/d", "a/b/e"]).Select(pair => pair.Second).Order());

    [Fact]
    public void A_character_collides_with_all_its_case_and_normalization_forms()
    {
        foreach (var rune in EveryRune().Where(rune => EntryNames.Unsafe(rune.ToString()) is null))
        {
            var name = rune.ToString();
            string[] others = [name.ToUpperInvariant(), name.ToLowerInvariant(), name.Normalize(NormalizationForm.FormKC), name.Normalize(NormalizationForm.FormD)];
            foreach (var other in others.Where(other => other != name))
            {
                Assert.NotEmpty(EntryNames.Collisions([name, other]));
            }
        }
    }

    // Only assigned planes: beyond 3 there are only tags and private use.
    private static IEnumerable<Rune> EveryRune() =>
        Enumerable.Range(1, 0x33FFF).Concat(Enumerable.Range(0xE0000, 0x1000)).Where(value => Rune.IsValid(value) && (value & 0xFFFE) != 0xFFFE).Select(value => new Rune(value));
}
