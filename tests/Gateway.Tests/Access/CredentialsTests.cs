using System.Security.Claims;
using Gateway.Access;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.Access;

public class CredentialsTests
{
    private readonly TestHttp _http = new();

    public CredentialsTests()
    {
        _http.Request.Headers["X-Api-Key"] = "key";
        _http.Request.Headers.Authorization = "Bearer token";
        _http.Request.Headers["X-Tenant"] = "a";
        _http.Request.QueryString = new QueryString("?ids=s/a&expires=1&signature=x");
    }

    [Fact]
    public async Task Without_schemes_a_request_keeps_everything()
    {
        await RemoveAsync([], []);

        Assert.Equal(["X-Api-Key", "Authorization", "X-Tenant"], _http.Request.Headers.Keys);
        Assert.Equal("?ids=s/a&expires=1&signature=x", _http.Request.QueryString.Value);
    }

    [Fact]
    public async Task A_key_and_a_signature_are_removed_wherever_the_request_goes()
    {
        await RemoveAsync(["ApiKey", "SignedUrl"]);

        Assert.Equal(["Authorization", "X-Tenant"], _http.Request.Headers.Keys);
        Assert.Equal("?ids=s/a", _http.Request.QueryString.Value);
    }

    [Theory]
    [InlineData("Bearer token", null, false)]
    [InlineData(" bearer token", null, false)]
    [InlineData("Bearer token", "false", false)]
    [InlineData("Bearer token", "maybe", false)]
    [InlineData("Bearer token", "true", true)]
    [InlineData("Basic dXNlcg==", null, true)]
    public async Task On_a_proxied_route_a_token_that_the_gateway_checks_stays_here_unless_the_route_forwards_it(string authorization, string? forwards, bool isKept)
    {
        _http.Request.Headers.Authorization = authorization;

        await RemoveAsync(["Bearer"], forwards is null ? [] : new() { ["Bundle.ForwardAuthorization"] = forwards });

        Assert.Equal(isKept, _http.Request.Headers.ContainsKey("Authorization"));
    }

    [Fact]
    public async Task A_token_that_the_gateway_does_not_check_belongs_to_storage()
    {
        await RemoveAsync(["ApiKey"], []);

        Assert.Equal("Bearer token", _http.Request.Headers.Authorization);
    }

    [Fact]
    public async Task A_bundle_keeps_the_token_because_its_sources_may_need_it()
    {
        await RemoveAsync(["Bearer"]);

        Assert.Equal("Bearer token", _http.Request.Headers.Authorization);
    }

    [Theory]
    [InlineData("SignedUrl", false)]
    [InlineData("Bearer", true)]
    public async Task A_holder_of_a_signed_URL_cannot_choose_the_headers_that_decide_what_storage_returns(string scheme, bool isKept)
    {
        _http.Context.User = new ClaimsPrincipal(new ClaimsIdentity(scheme));

        await RemoveAsync(["SignedUrl"], new() { ["Bundle.Headers"] = "x-tenant" });

        Assert.Equal(isKept, _http.Request.Headers.ContainsKey("X-Tenant"));
        Assert.Equal(!isKept, Credentials.AreSignedUrl(_http.Context));
    }

    private async Task RemoveAsync(string[] schemes, Dictionary<string, string>? route = null)
    {
        if (route is not null)
        {
            var model = new RouteModel(new RouteConfig { RouteId = "r", Match = new RouteMatch(), Metadata = route }, null, HttpTransformer.Default);
            _http.Context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(model), null));
        }

        Assert.True(await TestHttp.PassesAsync(_http.Context, new Credentials(schemes).RemoveAsync));
    }
}
