using Gateway.Access;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Access;

public class SignedUrlHandlerTests
{
    private readonly TestHttp _http = new();

    [Theory]
    [InlineData("/bundle?ids=s/a&expires=1&signature=x", true)]
    [InlineData("http://host/bundle?ids=s/a&expires=1&signature=", true)]
    [InlineData("/bundle?signature=x", false)]
    [InlineData("/bundle?ids=s/a", false)]
    [InlineData("*", false)]
    [InlineData("http://host?x&signature=/y", false)]
    public void A_request_is_signed_if_its_path_and_query_have_a_signature_that_is_not_the_first_parameter(string target, bool expected)
    {
        _http.RawTarget = target;

        Assert.Equal(expected, SignedUrlHandler.IsSigned(_http.Request));
    }

    [Theory]
    [InlineData("?ids=s/a&expires=1&signature=x", "?ids=s/a")]
    [InlineData("?ids=s/a&format=zip&expires=1&signature=x", "?ids=s/a&format=zip")]
    [InlineData("?expires=1&signature=x", "")]
    [InlineData("?ids=s/a&signature=x", "?ids=s/a")]
    [InlineData("?expires=1&ids=s/a&signature=x", "?expires=1&ids=s/a")]
    [InlineData("?a=1&signature=y&expires=1&signature=x", "?a=1&signature=y")]
    [InlineData("?ids=s/a", "?ids=s/a")]
    [InlineData("", "")]
    public void Storage_sees_neither_the_signature_nor_its_time(string query, string expected)
    {
        _http.Request.QueryString = new QueryString(query);

        SignedUrlHandler.Strip(_http.Request);

        Assert.Equal(expected, _http.Request.QueryString.Value ?? "");
    }
}
