using Gateway.Responses;
using Yarp.ReverseProxy.Model;

namespace Gateway.Upstreams;

/// <summary>Middleware in YARP's pipeline: refuses a direct request if a server that merges slashes, decodes once more, or drops path parameters
/// would read a path that another route serves (<see cref="LaxPath"/>): that route's policy would be bypassed. For bundles, <see cref="Source.ServesAsync"/> decides.</summary>
internal sealed class RouteBoundary(SourceIndex sources)
{
    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Capture>() is null && context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>() is { } route)
        {
            foreach (var reading in LaxPath.ReadingsOf(context.Request.Path.Value!))
            {
                if (await sources.Matcher.RouteOfAsync(context.Request.Method, reading, Caller.Of(context, speaks: true)) is { } other && other != route.Config.RouteId)
                {
                    await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, "Without its empty segments and parameters, or decoded once more, this path belongs to another route.");
                    return;
                }
            }
        }

        await next(context);
    }
}
