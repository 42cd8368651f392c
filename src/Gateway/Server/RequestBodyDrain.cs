using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server;

/// <summary>
/// Lets the server drain the body of a request that was rejected before its body was read. A client that sends its whole request before it reads
/// gets a reset instead of the response if the server closes too early. The server drains for at most five seconds, but would not start with a
/// body that is longer than its own limit.
/// </summary>
internal static class RequestBodyDrain
{
    public static async Task AllowAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
    }
}
