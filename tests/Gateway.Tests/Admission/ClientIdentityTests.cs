using System.Net;
using System.Security.Claims;
using Gateway.Admission;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Admission;

public class ClientIdentityTests
{
    private readonly DefaultHttpContext _http = new();

    [Theory]
    [InlineData("10.0.0.7", "10.0.0.7")]
    [InlineData("::ffff:10.0.0.7", "10.0.0.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64")]
    [InlineData("::1", "::/64")]
    [InlineData(null, "")]
    public void An_anonymous_client_is_its_address_or_its_network(string? address, string expected)
    {
        _http.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);

        Assert.Equal(expected, ClientIdentity.From(_http));
    }

    [Fact]
    public void A_token_is_identified_by_its_issuer_and_subject()
    {
        SignIn("Bearer", new Claim("iss", "https://issuer"), new Claim("sub", "alice"), new Claim(ClaimTypes.Name, "Alice"));

        Assert.Equal("Bearer\nhttps://issuer\nalice", ClientIdentity.From(_http));
    }

    [Fact]
    public void The_framework_may_rename_the_subject()
    {
        SignIn("Bearer", new Claim(ClaimTypes.NameIdentifier, "alice", null, "https://issuer"));

        Assert.Equal("Bearer\nhttps://issuer\nalice", ClientIdentity.From(_http));
    }

    [Fact]
    public void The_owner_of_an_API_key_is_identified_by_name()
    {
        SignIn("ApiKey", new Claim(ClaimTypes.Name, "backup"));

        Assert.Equal("ApiKey\nbackup", ClientIdentity.From(_http));
    }

    [Fact]
    public void Tokens_of_two_issuers_with_the_same_subject_are_two_clients()
    {
        SignIn("Bearer", new Claim("iss", "https://one"), new Claim("sub", "alice"));
        var one = ClientIdentity.From(_http);

        SignIn("Bearer", new Claim("iss", "https://two"), new Claim("sub", "alice"));

        Assert.NotEqual(one, ClientIdentity.From(_http));
    }

    [Fact]
    public void The_name_in_a_token_identifies_no_one_because_it_need_not_be_unique()
    {
        _http.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.7");

        SignIn("Bearer", new Claim("iss", "https://issuer"), new Claim(ClaimTypes.Name, "Alice"));

        Assert.Equal("10.0.0.7", ClientIdentity.From(_http));
    }

    [Fact]
    public void A_holder_of_a_signed_URL_is_anonymous()
    {
        _http.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.7");

        SignIn("SignedUrl", new Claim(ClaimTypes.Role, "reader"));

        Assert.Equal("10.0.0.7", ClientIdentity.From(_http));
    }

    [Fact]
    public void Claims_that_were_not_authenticated_do_not_count()
    {
        _http.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.7");

        _http.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "alice")]));

        Assert.Equal("10.0.0.7", ClientIdentity.From(_http));
    }

    private void SignIn(string scheme, params Claim[] claims) => _http.User = new ClaimsPrincipal(new ClaimsIdentity(claims, scheme));
}
