using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server;

/// <summary>
/// Lets the server read on when a request was refused before its body was read. A client that sends all of its request before it reads gets a
/// reset instead of the response when the server closes too early. The server reads on for at most five seconds, but would not begin with a
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
