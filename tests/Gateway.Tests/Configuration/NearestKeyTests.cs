using Gateway.Configuration;

namespace Gateway.Tests.Configuration;

public class NearestKeyTests
{
    private static readonly string[] Known = ["MaxEntries", "MaxBytes", "MaxActive", "Id"];

    [Theory]
    [InlineData("MaxEntrys", "MaxEntries")]
    [InlineData("maxbyte", "MaxBytes")]
    [InlineData("MaxAktive", "MaxActive")]
    [InlineData("Ids", "Id")]
    [InlineData("Workers", null)]
    [InlineData("", null)]
    [InlineData("x", null)]
    public void A_similar_key_is_found(string key, string? nearest) => Assert.Equal(nearest, NearestKey.Find(key, Known));

    [Fact]
    public void Without_known_keys_none_is_found() => Assert.Null(NearestKey.Find("a", []));
}
