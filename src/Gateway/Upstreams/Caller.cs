using System.Net;
using System.Security.Claims;

namespace Gateway.Upstreams;

/// <summary>What sub-requests know of the client whose bundle they serve: enough for YARP's forwarded headers, and of its own headers those that a
/// source asks for by name.</summary>
internal sealed record Caller(ClaimsPrincipal User, string Scheme, HostString Host, IPAddress? Address, string TraceIdentifier, IHeaderDictionary Headers)
{
    private static readonly HeaderDictionary None = new() { IsReadOnly = true };

    /// <param name="context">The client's request.</param>
    /// <param name="speaks">Whether its headers count: a client with the rights of a link or of a signed URL
    /// must not choose another tenant with them.</param>
    public static Caller Of(HttpContext context, bool speaks = true) => new(
        context.User, context.Request.Scheme, context.Request.Host, context.Connection.RemoteIpAddress, context.TraceIdentifier, speaks ? context.Request.Headers : None);
}
