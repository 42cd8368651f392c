using System.Net;
using System.Security.Claims;

namespace Gateway.Upstreams;

/// <summary>What sub-requests know of the client whose bundle they serve: enough for YARP's forwarded headers, and of its own headers those that a
/// source asks for by name.</summary>
internal sealed record Caller(ClaimsPrincipal User, string Scheme, HostString Host, IPAddress? Address, string TraceIdentifier, IHeaderDictionary Headers)
{
    public static Caller Of(HttpContext context) => new(
        context.User, context.Request.Scheme, context.Request.Host, context.Connection.RemoteIpAddress, context.TraceIdentifier, context.Request.Headers);
}
