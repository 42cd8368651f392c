using Yarp.ReverseProxy.Configuration;

namespace Gateway.Storage.Sources;

/// <summary>
/// Routes that only bundles may use (metadata <c>Bundle.Internal</c>). Routing still matches them, so that no wider route serves their
/// paths instead; a direct request gets 404, before authorization could show that there is something.
/// </summary>
public static class InternalRoutes
{
    /// <summary>Marks the endpoint of an internal route.</summary>
    public static void Mark(IEndpointConventionBuilder endpoint, RouteConfig route)
    {
        // Whatever is not plainly false hides the route.
        if (route.Metadata?.TryGetValue(SourceConfig.InternalKey, out var text) == true && (!bool.TryParse(text, out var isInternal) || isInternal))
        {
            endpoint.WithMetadata(new Marker());
        }
    }

    /// <summary>Middleware: lets a direct request for an internal route find nothing.</summary>
    public static Task HideAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<Marker>() is not null)
        {
            context.SetEndpoint(null);
        }

        return next(context);
    }

    private sealed class Marker;
}
