using Gateway.Responses;
using Gateway.Storage.Failures;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Gateway.Access;

/// <summary>
/// Evaluates the authorization policies of the sources' routes. The authorization middleware does that for direct requests only, so a bundle has each
/// policy evaluated here, once.
/// </summary>
internal sealed class SourceAuthorizer(SourceIndex index, IAuthorizationPolicyProvider policies, IPolicyEvaluator evaluator, IAuthenticationSchemeProvider schemes)
{
    /// <exception cref="BundleProblemException">401 or 403.</exception>
    public async Task AuthorizeAsync(HttpContext context, IEnumerable<Source> sources)
    {
        foreach (var source in sources)
        {
            if (await GetPolicyAsync(source) is not { } policy)
            {
                continue;
            }

            var authorization = await EvaluateAsync(context, source, policy);
            if (authorization.Forbidden)
            {
                throw new BundleProblemException(
                    StatusCodes.Status403Forbidden, $"This client may not use source '{source.Name}'.", FailureReason.NotAuthorized);
            }

            if (authorization.Challenged)
            {
                await ChallengeAsync(context, policy);
                throw new BundleProblemException(
                    StatusCodes.Status401Unauthorized, $"Source '{source.Name}' requires authentication.", FailureReason.NotAuthorized);
            }
        }
    }

    /// <summary>The sources that this client may read and list.</summary>
    public async Task<IReadOnlyList<Source>> FindListableAsync(HttpContext context)
    {
        var found = new List<Source>();
        foreach (var source in index.All.Where(source => source.CanList))
        {
            if (await GetPolicyAsync(source) is not { } policy || (await EvaluateAsync(context, source, policy)).Succeeded)
            {
                found.Add(source);
            }
        }

        return found;
    }

    /// <summary>Rejects a client that no source would serve, before its body is read.</summary>
    /// <exception cref="BundleProblemException">401: the client is unknown, and every source requires authentication.</exception>
    public async Task RequireAnySourceAsync(HttpContext context)
    {
        if (context.User.Identities.Any(identity => identity.IsAuthenticated) || index.All.Count == 0)
        {
            return;
        }

        AuthorizationPolicy? required = null;
        foreach (var source in index.All)
        {
            if (await GetPolicyAsync(source) is not { } policy || !(await EvaluateAsync(context, source, policy)).Challenged)
            {
                return;
            }

            required ??= policy;
        }

        await ChallengeAsync(context, required!);
        throw new BundleProblemException(StatusCodes.Status401Unauthorized, "Every source requires authentication.", FailureReason.NotAuthorized);
    }

    private async Task<PolicyAuthorizationResult> EvaluateAsync(HttpContext context, Source source, AuthorizationPolicy policy) =>
        await evaluator.AuthorizeAsync(policy, await evaluator.AuthenticateAsync(policy, context), context, source.Endpoint);

    /// <returns>Null when the source needs no authorization.</returns>
    private async Task<AuthorizationPolicy?> GetPolicyAsync(Source source) => source.Endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
        ? null
        : await AuthorizationPolicy.CombineAsync(
            policies,
            source.Endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>(),
            source.Endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>());

    /// <summary>Has the schemes add the headers that tell the client how to authenticate.</summary>
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
