using CsCheck;
using Gateway.Bundles;

namespace Gateway.Tests.Bundles;

public class EntryNamesTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("a/b/c.txt")]
    [InlineData("a b/ü/日本.txt")]
    [InlineData("100%.txt")]
    [InlineData("...a/.hidden")]
    [InlineData("😀")]
    public void Names_that_stay_where_they_are_put_are_safe(string name)
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
    public void Names_may_be_as_long_as_a_path()
    {
        Assert.Null(EntryNames.Unsafe(new string('a', 4095)));
        Assert.NotNull(EntryNames.Unsafe(new string('a', 4096)));
        Assert.NotNull(EntryNames.Unsafe(new string('ä', 2048)));
        Assert.NotNull(EntryNames.Unportable(new string('a', 256)));
    }

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
    public void Names_that_one_folder_cannot_hold_together_collide(string first, string second)
    {
        Assert.Equal([(0, 1)], EntryNames.Collisions([first, second]).Select(pair => (pair.First, pair.Second)));
        Assert.Equal([(0, 1)], EntryNames.Collisions([second, first]).Select(pair => (pair.First, pair.Second)));
    }

    [Fact]
    public void Names_that_one_folder_can_hold_do_not_collide() =>
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
}
