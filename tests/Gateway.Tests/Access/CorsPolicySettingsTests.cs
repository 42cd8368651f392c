using System.ComponentModel.DataAnnotations;
using Gateway.Access;

namespace Gateway.Tests.Access;

public class CorsPolicySettingsTests
{
    private const string NotAnOrigin = "must be an origin like https://app.example or http://localhost:3000, without a path or trailing slash";

    [Theory]
    [InlineData("https://app.example")]
    [InlineData("http://localhost:3000")]
    [InlineData("HTTPS://App.Example:8443")]
    [InlineData("http://127.0.0.1:80800x", false)]
    [InlineData("http://[::1]:3000")]
    [InlineData("https://*.example")]
    [InlineData("https://*.app.example:8443")]
    [InlineData("https://app.example/", false)]
    [InlineData("https://app.example/path", false)]
    [InlineData("https://app.example?x", false)]
    [InlineData("https://app.example:443", false)]
    [InlineData("https://user@app.example", false)]
    [InlineData("https://a.*.example", false)]
    [InlineData("https://*.*.example", false)]
    [InlineData("https://*example", false)]
    [InlineData("ftp://app.example", false)]
    [InlineData("app.example", false)]
    [InlineData("//app.example", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public void An_origin_is_a_scheme_a_host_and_a_port(string origin, bool isValid = true)
    {
        var settings = new CorsPolicySettings { Origins = { "https://first.example", origin } };

        Assert.Equal(isValid ? [] : [$"Origins:1: {NotAnOrigin}"], Validate(settings));
    }

    [Fact]
    public void At_least_one_origin_is_required() => Assert.Equal(["Origins: at least one is required"], Validate(new CorsPolicySettings()));

    [Fact]
    public void Any_origin_is_the_only_one_and_without_credentials()
    {
        Assert.Empty(Validate(new CorsPolicySettings { Origins = { "*" } }));
        Assert.Equal(["Origins: '*' must be the only one"], Validate(new CorsPolicySettings { Origins = { "*", "https://app.example" } }));

        Assert.Equal(
            ["Credentials: cannot be true with the origin '*': every web site could then use the credentials of its visitors"],
            Validate(new CorsPolicySettings { Origins = { "*" }, Credentials = true }));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(86_400, true)]
    [InlineData(86_401, false)]
    [InlineData(-1, false)]
    public void A_preflight_is_remembered_for_a_day_at_most(int seconds, bool isValid)
    {
        var settings = new CorsPolicySettings { Origins = { "https://app.example" }, MaxAge = TimeSpan.FromSeconds(seconds) };

        Assert.Equal(isValid ? [] : ["MaxAge: must be from 00:00:00 to 1.00:00:00"], Validate(settings));
    }

    [Fact]
    public void All_faults_are_reported_together() =>
        Assert.Equal(4, Validate(new CorsPolicySettings { Origins = { "*", "x" }, Credentials = true, MaxAge = TimeSpan.FromDays(2) }).Length);

    private static string[] Validate(CorsPolicySettings settings) => [.. settings.Validate(new ValidationContext(settings)).Select(result => result.ErrorMessage!)];
}
