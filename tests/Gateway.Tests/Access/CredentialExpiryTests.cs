using System.Security.Claims;
using Gateway.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Access;

public class CredentialExpiryTests
{
    private static readonly DateTimeOffset Expiry = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Fact]
    public void Credentials_without_an_expiry_do_not_expire() => Assert.Null(CredentialExpiry.From(Create()));

    [Theory]
    [InlineData("1800000000")]
    [InlineData("1800000000.9")]
    [InlineData("1.8e9")]
    public void A_token_expires_at_a_second_since_1970(string exp) => Assert.Equal(Expiry, CredentialExpiry.From(Create(exp)));

    [Fact]
    public void Of_several_the_earliest_counts()
    {
        Assert.Equal(Expiry, CredentialExpiry.From(Create("1900000000", "1800000000", "2000000000")));

        Assert.Equal(Expiry, CredentialExpiry.From(CreateWithTicket(Expiry, "1900000000")));
        Assert.Equal(Expiry, CredentialExpiry.From(CreateWithTicket(Expiry.AddDays(1), "1800000000")));
        Assert.Equal(Expiry, CredentialExpiry.From(CreateWithTicket(Expiry)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-1")]
    [InlineData("NaN")]
    [InlineData("1,800")]
    public void An_invalid_expiry_counts_as_expired(string exp) => Assert.Equal(DateTimeOffset.MinValue, CredentialExpiry.From(Create("1800000000", exp)));

    [Theory]
    [InlineData("1e300")]
    [InlineData("Infinity")]
    [InlineData("253402300800")]
    public void An_expiry_after_the_last_date_is_the_last_second(string exp) =>
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.MaxValue.ToUnixTimeSeconds()), CredentialExpiry.From(Create(exp)));

    private static DefaultHttpContext Create(params string[] expiries) =>
        new() { User = new ClaimsPrincipal(expiries.Select(exp => new ClaimsIdentity([new Claim("exp", exp)], "Bearer"))) };

    private static DefaultHttpContext CreateWithTicket(DateTimeOffset expiry, params string[] expiries)
    {
        var http = Create(expiries);
        var ticket = new AuthenticationTicket(http.User, new AuthenticationProperties { ExpiresUtc = expiry }, "Cookies");
        http.Features.Set<IAuthenticateResultFeature>(new Authenticated { AuthenticateResult = AuthenticateResult.Success(ticket) });
        return http;
    }

    private sealed class Authenticated : IAuthenticateResultFeature
    {
        public AuthenticateResult? AuthenticateResult { get; set; }
    }
}
