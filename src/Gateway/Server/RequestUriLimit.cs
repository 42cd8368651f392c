using System.Globalization;
using Gateway.Responses;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Server;

/// <summary>
/// Responds to a request line that is too long with 414 and a document that explains the alternative. By itself, Kestrel sends 414 without a
/// body, and resets the stream over HTTP/2. So Kestrel accepts lines that are <see cref="Margin"/> times as long, and the limit is
/// checked here. Section <c>Kestrel:Limits:MaxRequestLineSize</c>, bytes, default 8 KiB.
/// </summary>
internal sealed class RequestUriLimit(int lineSize)
{
    private const int Margin = 4;

    // A line is method, space, request target, space, version and its end (RFC 9112, section 3).
    private static readonly int Framing = "  HTTP/1.1\r\n".Length;

    /// <summary>Makes the server itself accept longer lines.</summary>
    public static void Widen(KestrelServerLimits limits)
    {
        var widened = Math.Min((long)limits.MaxRequestLineSize * Margin, limits.MaxRequestBufferSize ?? int.MaxValue);
        limits.MaxRequestLineSize = (int)Math.Max(limits.MaxRequestLineSize, widened);
    }

    public Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var size = context.Request.Method.Length + context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Length + Framing;
        if (size <= lineSize)
        {
            return next(context);
        }

        // Not counted as a bundle: the request has not been parsed.
        context.SetEndpoint(null);
        return Problem.WriteAsync(
            context,
            StatusCodes.Status414UriTooLong,
            string.Create(CultureInfo.InvariantCulture, $"The request line has {size} bytes; at most {lineSize} are allowed. Send a longer request as the body of a POST: a manifest or a form."));
    }
}
