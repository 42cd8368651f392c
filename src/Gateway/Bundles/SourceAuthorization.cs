using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Gateway.Bundles;

/// <summary>
/// The authorization policies of the sources' routes. For a direct request the authorization middleware asks them; a bundle does
/// not pass there on behalf of its sources, so it asks them itself, each once.
/// </summary>
internal sealed class SourceAuthorization(IAuthorizationPolicyProvider policies, IPolicyEvaluator evaluator, IAuthenticationSchemeProvider schemes)
{
    /// <exception cref="BundleRefusal">401 or 403.</exception>
    public async Task RequireAsync(HttpContext context, BundlePlan plan)
    {
        foreach (var source in plan.All.Select(entry => entry.Request.Source).Distinct())
        {
            if (source.Endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
                || await PolicyOfAsync(source) is not { } policy)
            {
                continue;
            }

            var authentication = await evaluator.AuthenticateAsync(policy, context);
            var authorization = await evaluator.AuthorizeAsync(policy, authentication, context, source.Endpoint);
            if (authorization.Forbidden)
            {
                throw new BundleRefusal(
                    StatusCodes.Status403Forbidden, $"The source '{source.Name}' is not for this client.", Culprit.Client, Stage.Request);
            }

            if (authorization.Challenged)
            {
                await ChallengeAsync(context, policy);
                throw new BundleRefusal(
                    StatusCodes.Status401Unauthorized, $"The source '{source.Name}' asks who the client is.", Culprit.Client, Stage.Request);
            }
        }
    }

    private Task<AuthorizationPolicy?> PolicyOfAsync(Source source) => AuthorizationPolicy.CombineAsync(
        policies,
        source.Endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>(),
        source.Endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>());

    /// <summary>Lets the schemes say in the headers how to authenticate.</summary>
    private async Task ChallengeAsync(HttpContext context, AuthorizationPolicy policy)
    {
        foreach (var scheme in policy.AuthenticationSchemes)
        {
            await context.ChallengeAsync(scheme);
        }

        if (policy.AuthenticationSchemes.Count == 0 && await schemes.GetDefaultChallengeSchemeAsync() is { } standard)
        {
            await context.ChallengeAsync(standard.Name);
        }
    }
}
