using System.Net;
using Gateway.Storage.SubRequests;

namespace Storage.Tests.SubRequests;

public class RedirectTests
{
    private const string Requested = "http://host:9000/bucket/dir/key";

    [Fact]
    public void Five_statuses_refer_to_another_URL() => Assert.Equal([301, 302, 303, 307, 308], Enumerable.Range(100, 500).Where(Redirect.Is));

    [Theory]
    [InlineData("http://host:9000/bucket/dir/other", "other")]
    [InlineData("HTTP://HOST:9000/bucket/dir/other", "other")]
    [InlineData("/bucket/dir/other", "other")]
    [InlineData("other", "other")]
    [InlineData("sub/a%20b", "sub/a b")]
    [InlineData("key/", "key/")]
    [InlineData("a%2520b", "a%20b")]
    [InlineData("%C3%BC", "ü")]
    [InlineData("//host:9000/bucket/dir/other", "other")]
    public void A_redirect_within_the_source_leads_to_another_key(string location, string expected) =>
        Assert.Equal(expected, Redirect.KeyWithin(Create(location), "key"));

    [Theory]
    [InlineData("https://host:9000/bucket/dir/other")]
    [InlineData("http://host:9001/bucket/dir/other")]
    [InlineData("http://other:9000/bucket/dir/other")]
    [InlineData("//other/bucket/dir/other")]
    [InlineData("http://user@host:9000/bucket/dir/other")]
    [InlineData("/bucket/dir/other?version=1")]
    [InlineData("/bucket/other")]
    [InlineData("/other/dir/key")]
    [InlineData("../../bucket2/dir/other")]
    [InlineData("/bucket/dir/")]
    [InlineData("key")]
    [InlineData(Requested)]
    public void A_redirect_to_anywhere_else_is_not_followed(string location) => Assert.Null(Redirect.KeyWithin(Create(location), "key"));

    [Theory]
    [InlineData("%252e%252e/x")]
    [InlineData("a%2Fb")]
    [InlineData("a%5Cb")]
    [InlineData("a%00b")]
    [InlineData("a%E2%80%8Bb")]
    [InlineData("%FF")]
    [InlineData("ü")]
    public void A_redirect_to_an_unsafe_key_is_not_followed(string location) => Assert.Null(Redirect.KeyWithin(Create(location), "key"));

    [Fact]
    public void A_redirect_without_a_location_leads_nowhere()
    {
        Assert.Null(Redirect.KeyWithin(Create(null), "key"));
        Assert.Null(Redirect.GetTarget(Create(null)));
    }

    [Theory]
    [InlineData("http://other/secret?token=x", null, "Location: other")]
    [InlineData("/elsewhere", null, "Location: host:9000")]
    [InlineData(null, "eu-west-1", "x-amz-bucket-region: eu-west-1")]
    [InlineData("https://other:8443/", "eu-west-1", "Location: other:8443, x-amz-bucket-region: eu-west-1")]
    [InlineData("http://[", null, null)]
    public void The_log_gets_the_host_and_the_region_but_no_path(string? location, string? region, string? expected)
    {
        var response = Create(location);
        if (region is not null)
        {
            response.Headers.Add("x-amz-bucket-region", region);
        }

        Assert.Equal(expected, Redirect.GetTarget(response));
    }

    private static HttpResponseMessage Create(string? location)
    {
        var response = new HttpResponseMessage(HttpStatusCode.Found) { RequestMessage = new HttpRequestMessage(HttpMethod.Get, Requested) };
        if (location is not null)
        {
            response.Headers.TryAddWithoutValidation("Location", location);
        }

        return response;
    }
}
