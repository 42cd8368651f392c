using Gateway.Access;
using Gateway.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Tests.Access;

public class RoutePolicyFilterTests
{
    private static readonly RouteConfig Route = new() { RouteId = "r", Match = new RouteMatch() };
    private static readonly CorsSettings Cors = new() { Policies = { ["Web"] = new CorsPolicySettings() } };

    public static TheoryData<RouteConfig> Accepted =>
    [
        Route,
        Route with { CorsPolicy = "web" },
        Route with { CorsPolicy = "Disable" },
        Route with { AuthorizationPolicy = "ANONYMOUS" },
        Route with { RateLimiterPolicy = "disable", OutputCachePolicy = "disable" },
    ];

    [Theory]
    [MemberData(nameof(Accepted))]
    public async Task A_policy_that_has_an_effect_is_accepted(RouteConfig route) => Assert.Same(route, await ConfigureAsync(route));

    [Fact]
    public async Task A_policy_of_CORS_must_exist() =>
        await AssertFaultAsync(Route with { CorsPolicy = "other" }, "ReverseProxy:Routes:r:CorsPolicy: there is no policy 'other' in Cors:Policies");

    [Fact]
    public async Task Authorization_needs_a_scheme_that_clients_can_use()
    {
        var route = Route with { AuthorizationPolicy = "default" };
        await AssertFaultAsync(route, "ReverseProxy:Routes:r:AuthorizationPolicy: no client could satisfy 'default', because Authentication:Schemes is empty");

        Assert.Same(route, await ConfigureAsync(route, "Bearer"));
    }

    [Fact]
    public async Task Rate_limits_and_output_caches_are_not_supported()
    {
        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => ConfigureAsync(Route with { RateLimiterPolicy = "x", OutputCachePolicy = "y" }));

        Assert.Equal(["ReverseProxy:Routes:r:RateLimiterPolicy: not supported", "ReverseProxy:Routes:r:OutputCachePolicy: not supported"], fault.Faults);
    }

    private static async Task AssertFaultAsync(RouteConfig route, string expected) =>
        Assert.Equal([expected], (await Assert.ThrowsAsync<InvalidConfigurationException>(() => ConfigureAsync(route))).Faults);

    private static Task<RouteConfig> ConfigureAsync(RouteConfig route, params string[] schemes)
    {
        var options = new AuthenticationOptions();
        foreach (var scheme in schemes)
        {
            options.AddScheme(scheme, builder => builder.HandlerType = typeof(SignedUrlHandler));
        }

        return new RoutePolicyFilter(Cors, new AuthenticationSchemeProvider(Options.Create(options))).ConfigureRouteAsync(route, null, default).AsTask();
    }
}
