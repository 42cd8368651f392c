using Gateway.Storage;
using Microsoft.AspNetCore.Authentication;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Access;

/// <summary>
/// Rejects route policies that would have no effect, at startup and at every reload. YARP accepts them, and each request would then fail
/// or, worse, pass.
/// </summary>
internal sealed class RoutePolicyFilter(CorsSettings cors, IAuthenticationSchemeProvider schemes) : IProxyConfigFilter
{
    private const string Disable = "disable";
    private const string Anonymous = "anonymous";

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) => new(cluster);

    public async ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        var where = $"ReverseProxy:Routes:{route.RouteId}";
        var faults = new List<string>();
        if (route.CorsPolicy is { Length: > 0 } policy && !Is(policy, Disable) && !cors.Policies.ContainsKey(policy))
        {
            faults.Add($"{where}:{nameof(route.CorsPolicy)}: there is no policy '{policy}' in {CorsSettings.Section}:{nameof(CorsSettings.Policies)}");
        }

        if (route.AuthorizationPolicy is { Length: > 0 } authorization && !Is(authorization, Anonymous) && !(await schemes.GetAllSchemesAsync()).Any())
        {
            faults.Add($"{where}:{nameof(route.AuthorizationPolicy)}: no client could satisfy '{authorization}', because {AccessRegistration.Section} is empty");
        }

        RequireAbsent(nameof(route.RateLimiterPolicy), route.RateLimiterPolicy);
        RequireAbsent(nameof(route.OutputCachePolicy), route.OutputCachePolicy);
        return faults.Count == 0 ? route : throw new InvalidConfigurationException(faults);

        void RequireAbsent(string key, string? value)
        {
            if (value is { Length: > 0 } && !Is(value, Disable))
            {
                faults.Add($"{where}:{key}: not supported");
            }
        }
    }

    private static bool Is(string value, string word) => value.Equals(word, StringComparison.OrdinalIgnoreCase);
}
