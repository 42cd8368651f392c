using Gateway.Storage.Connections;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Storage.SubRequests;

/// <summary>Middleware after YARP's passive health checks: a direct request that failed because of its object is reported to them only
/// if the failure counts against the destination.</summary>
internal static class DirectFailures
{
    public static Task FilterAsync(HttpContext context, RequestDelegate next) =>
        context.Features.Get<ResponseCapture>() is null ? FilterDirectAsync(context, next) : next(context);

    private static async Task FilterDirectAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (context.GetForwarderErrorFeature() is { Error: ForwarderError.Request or ForwarderError.RequestTimedOut or ForwarderError.ResponseBodyDestination } error
            && context.GetReverseProxyFeature().ProxiedDestination is { } destination
            && !context.RequestServices.GetRequiredService<FailureCounts>()
                .Get(new Uri(destination.Model.Config.Address))
                .Count(ConnectionFailures.Explain(error.Exception ?? new TimeoutException()).Reason, context.Request.Path.Value!))
        {
            context.Features.Set<IForwarderErrorFeature>(null);
        }
    }
}
