using Gateway.Responses;
using Gateway.Storage.Paths;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server;

/// <summary>
/// Rejects request targets whose path means one thing to routing and another to storage: paths with dot segments, and the absolute form
/// (RFC 9112, section 3.2.2) with an encoded slash or a backslash.
/// </summary>
/// <remarks>
/// The server has already resolved plain dot segments, so <c>/a/../b</c> is <c>/b</c> everywhere and passes. Any that are left are encoded.
/// For the absolute form the server decodes <c>%2F</c> as well: <c>http://host/public/..%2fprivate</c> would be routed as
/// <c>/public</c> and sent to storage as <c>/private</c>.
/// </remarks>
internal static class RequestTargetGuard
{
    private const string SchemeEnd = "://";

    public static Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var fault = DotSegments.IsIn(context.Request.Path.Value) ? "The path has a '.' or '..' segment."
            : IsAmbiguous(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget)
                ? "In a request target with a scheme and a host, the path cannot have an encoded slash or a backslash."
            : null;
        if (fault is null)
        {
            return next(context);
        }

        context.SetEndpoint(null);
        return Problem.WriteAsync(context, StatusCodes.Status400BadRequest, fault);
    }

    private static bool IsAmbiguous(string target)
    {
        if (target.StartsWith('/') || target.IndexOf(SchemeEnd, StringComparison.Ordinal) is not (>= 0 and var scheme))
        {
            return false;
        }

        var rest = target.AsSpan(scheme + SchemeEnd.Length);
        var path = rest.IndexOfAny('?', '#') is >= 0 and var end ? rest[..end] : rest;
        return path.Contains('\\') || path.Contains("%2f", StringComparison.OrdinalIgnoreCase) || path.Contains("%5c", StringComparison.OrdinalIgnoreCase);
    }
}
