using System.ComponentModel.DataAnnotations;
using Gateway.Links;

namespace Gateway.Tests.Links;

public class BundleLinkOptionsTests
{
    private static readonly string Key = Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)]);

    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(Validate(new BundleLinkOptions()));

    [Fact]
    public void Keys_are_secrets_in_Base64_and_their_order_is_kept()
    {
        var options = new BundleLinkOptions { Keys = { Key, Convert.ToBase64String(new byte[40]) } };

        Assert.Empty(Validate(options));
        Assert.Equal([.. Enumerable.Repeat((byte)7, 32)], options.Secrets()[0]);
        Assert.Equal(new byte[40], options.Secrets()[1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("my secret that is not Base64 but long enough")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    public void A_key_that_is_too_short_or_not_Base64_is_named_by_its_index_and_not_repeated(string key) =>
        Assert.Equal(["Keys:1 is not Base64 of at least 32 bytes."], Validate(new BundleLinkOptions { Keys = { Key, key } }));

    [Fact]
    public void One_client_cannot_have_more_than_all_together() =>
        Assert.Equal(["MaxBytesPerClient is more than MaxBytes."], Validate(new BundleLinkOptions { MaxBytes = 1 << 20, MaxBytesPerClient = (1 << 20) + 1 }));

    [Theory]
    [InlineData("00:00:01", true)]
    [InlineData("30.00:00:00", true)]
    [InlineData("00:00:00.9", false)]
    [InlineData("30.00:00:01", false)]
    public void A_link_lives_from_a_second_to_30_days(string lifetime, bool isValid) =>
        Assert.Equal(isValid, Validate(new BundleLinkOptions { Lifetime = TimeSpan.Parse(lifetime, System.Globalization.CultureInfo.InvariantCulture) }).Length == 0);

    [Theory]
    [InlineData(64 << 10, true)]
    [InlineData((64 << 10) - 1, false)]
    [InlineData((1L << 40) + 1, false)]
    public void The_space_is_bounded_on_both_sides(long bytes, bool isValid) =>
        Assert.Equal(isValid, Validate(new BundleLinkOptions { MaxBytes = bytes, MaxBytesPerClient = 64 << 10 }).Length == 0);

    [Fact]
    public void A_stored_link_takes_more_than_its_bytes() => Assert.Equal(1512, BundleLinkOptions.RoomFor(1000));

    private static string[] Validate(BundleLinkOptions options)
    {
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true);
        return [.. results.Select(result => result.ErrorMessage!)];
    }
}
