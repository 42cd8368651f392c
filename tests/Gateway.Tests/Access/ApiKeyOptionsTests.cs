using Gateway.Access;

namespace Gateway.Tests.Access;

public class ApiKeyOptionsTests
{
    private static readonly string Hash = new('A', 64);

    [Fact]
    public void A_key_is_configured_by_its_hash()
    {
        var options = new ApiKeyOptions { Keys = { ["backup"] = new ApiKey { Sha256 = Hash } } };

        options.Validate();

        Assert.Equal([.. Enumerable.Repeat((byte)0xAA, 32)], options.Keys["backup"].Hash!);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAG")]
    public void Anything_else_than_a_hash_is_an_error_that_names_the_owner_only(string? sha256)
    {
        var options = new ApiKeyOptions { Keys = { ["good"] = new ApiKey { Sha256 = Hash }, ["backup"] = new ApiKey { Sha256 = sha256 } } };

        var fault = Assert.Throws<InvalidOperationException>(options.Validate);

        Assert.Equal("Authentication:Schemes:ApiKey:Keys:backup:Sha256 is not 64 hexadecimal digits", fault.Message);
    }
}
