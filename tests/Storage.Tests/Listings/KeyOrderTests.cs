using System.Text;
using CsCheck;
using Gateway.Storage.Listings;

namespace Storage.Tests.Listings;

public class KeyOrderTests
{
    private static readonly string[] Characters = ["a", "b", "/", "é", "日", "\uD7FF", "\uE000", "\uFFFD", "\uFFFF", "😀", "\U0001F601", "\U0010FFFF"];
    private static readonly Gen<string> Key = Gen.Int[0, Characters.Length - 1].Array[0, 4].Select(picks => string.Concat(picks.Select(i => Characters[i])));

    [Fact]
    public void Keys_are_ordered_by_their_UTF_8_bytes() => Gen.Select(Key, Key).Sample((one, other) =>
        Assert.Equal(Math.Sign(Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other))), Math.Sign(KeyOrder.Instance.Compare(one, other))));

    [Fact]
    public void A_character_above_the_basic_plane_is_after_all_of_it()
    {
        Assert.True(KeyOrder.Instance.Compare("😀", "\uFF5E") > 0);
        Assert.True(string.CompareOrdinal("😀", "\uFF5E") < 0);
    }
}
