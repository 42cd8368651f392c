using Gateway.Responses;
using Gateway.Storage.Paths;
using Gateway.Storage.Sources;
using Gateway.Storage.SubRequests;

namespace Gateway.Access;

/// <summary>Middleware in YARP's pipeline: rejects a direct request if a server that merges slashes, decodes once more, or drops path parameters
/// would read a path that another route serves (<see cref="LaxPath"/>), because that would bypass the route's policy. For bundles,
/// <see cref="Source.ServesAsync"/> decides.</summary>
internal sealed class RouteBoundary(SourceIndex sources)
{
    public Task GuardAsync(HttpContext context, RequestDelegate next) =>
        !context.IsSubRequest() && LaxPath.GetReadings(context.Request.Path.Value!).Any() ? CheckAsync(context, next) : next(context);

    private async Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (await sources.Matcher.ReachesOnlyAsync(context.GetRouteModel().Config.RouteId, context.Request.Method, context.Request.Path, ClientContext.From(context)))
        {
            await next(context);
            return;
        }

        await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, "Without empty segments and parameters, or decoded once more, this path belongs to another route.");
    }
}
