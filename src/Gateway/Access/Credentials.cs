using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Yarp.ReverseProxy.Model;

namespace Gateway.Access;

/// <summary>
/// Removes from a request the credentials that are meant only for the gateway, so that storage never sees them: an API key, a signature, and on
/// proxied routes a bearer token.
/// </summary>
/// <param name="schemes">The configured schemes.</param>
internal sealed class Credentials(string[] schemes)
{
    private const string BearerPrefix = "Bearer";

    /// <summary>Whether the client has only a signed URL, so that only that URL is covered.</summary>
    public static bool AreSignedUrl(HttpContext context) => context.User.Identities.Any(identity => identity.AuthenticationType == SignedUrlHandler.Name);

    /// <summary>The client of a request. The headers of a client that has only a signed URL do not count.</summary>
    public static ClientContext GetClient(HttpContext context) => AreSignedUrl(context) ? ClientContext.FromWithoutHeaders(context) : ClientContext.From(context);

    /// <summary>Middleware between authentication and authorization.</summary>
    public Task RemoveAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Request.Headers;
        if (schemes.Contains(ApiKeyHandler.Name))
        {
            headers.Remove(ApiKeyHandler.Header);
        }

        if (schemes.Contains(SignedUrlHandler.Name))
        {
            SignedUrlHandler.Strip(context.Request);
        }

        if (context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>() is { } route)
        {
            RemoveForProxying(context, route.Config.Metadata ?? new Dictionary<string, string>());
        }

        return next(context);
    }

    private void RemoveForProxying(HttpContext context, IReadOnlyDictionary<string, string> metadata)
    {
        var headers = context.Request.Headers;
        var forwards = bool.TryParse(metadata.GetValueOrDefault(SourceConfig.ForwardAuthorizationKey), out var flag) && flag;
        if (!forwards
            && schemes.Contains(JwtBearerDefaults.AuthenticationScheme)
            && headers.Authorization.Any(value => value.AsSpan().TrimStart().StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)))
        {
            headers.Remove("Authorization");
        }

        // A signature covers only the URL. Any holder of the URL could add a header that changes what storage returns.
        if (AreSignedUrl(context) && SourceHeaders.TryParse(metadata.GetValueOrDefault(SourceHeaders.Key), out var names, out _))
        {
            foreach (var name in names)
            {
                headers.Remove(name);
            }
        }
    }
}
