using Gateway.Storage.Sources;

namespace Storage.Tests.Sources;

public class SourceHeadersTests
{
    [Fact]
    public void Names_are_separated_by_commas_and_keep_their_order_and_case()
    {
        var isValid = SourceHeaders.TryParse("X-Tenant , authorization,X-B", out var names, out var fault);

        Assert.True(isValid);
        Assert.Null(fault);
        Assert.Equal(["X-Tenant", "authorization", "X-B"], names);
    }

    [Fact]
    public void Without_the_metadata_no_header_is_forwarded()
    {
        var isValid = SourceHeaders.TryParse(null, out var names, out var fault);

        Assert.True(isValid);
        Assert.Null(fault);
        Assert.Empty(names);
    }

    [Theory]
    [InlineData("", "'' is not a header name")]
    [InlineData("X-A,", "'' is not a header name")]
    [InlineData("X A", "'X A' is not a header name")]
    [InlineData("X-A, Y:", "'Y:' is not a header name")]
    [InlineData("Range", "'Range' cannot be forwarded from clients")]
    [InlineData("X-A, ACCEPT-ENCODING", "'ACCEPT-ENCODING' cannot be forwarded from clients")]
    [InlineData("te", "'te' cannot be forwarded from clients")]
    [InlineData("Host", "'Host' cannot be forwarded from clients")]
    [InlineData("Transfer-Encoding", "'Transfer-Encoding' cannot be forwarded from clients")]
    [InlineData("content-length", "'content-length' cannot be forwarded from clients")]
    [InlineData("If-None-Match", "'If-None-Match' cannot be forwarded from clients")]
    [InlineData("Proxy-Authorization", "'Proxy-Authorization' cannot be forwarded from clients")]
    [InlineData("x-forwarded-for", "'x-forwarded-for' cannot be forwarded from clients")]
    public void A_name_that_is_invalid_or_reserved_is_an_error(string text, string expected)
    {
        var isValid = SourceHeaders.TryParse(text, out var names, out var fault);

        Assert.False(isValid);
        Assert.Equal(expected, fault);
        Assert.Empty(names);
    }
}
