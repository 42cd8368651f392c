using Gateway.Access;

namespace Gateway.Tests.Access;

public class SignedUrlOptionsTests
{
    [Theory]
    [InlineData(32, true)]
    [InlineData(64, true)]
    [InlineData(31, false)]
    public void A_key_has_at_least_32_bytes(int length, bool isValid)
    {
        var options = new SignedUrlOptions { Keys = { Convert.ToBase64String(new byte[length]) } };

        Assert.Equal(isValid, Record.Exception(options.Validate) is null);
    }

    [Fact]
    public void An_invalid_key_is_named_by_its_index_and_not_repeated()
    {
        var options = new SignedUrlOptions { Keys = { Convert.ToBase64String(new byte[32]), "my secret that is not Base64 but long" } };

        var fault = Assert.Throws<InvalidOperationException>(options.Validate);

        Assert.Equal("Authentication:Schemes:SignedUrl:Keys:1 is not Base64 of at least 32 bytes", fault.Message);
    }
}
