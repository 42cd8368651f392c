using System.Net;
using System.Security.Claims;

namespace Gateway.Storage.Sources;

/// <summary>What sub-requests know of the client whose bundle they serve: enough for YARP's forwarded headers, and of its own headers those that a
/// source asks for by name.</summary>
public sealed record ClientContext(ClaimsPrincipal User, string Scheme, HostString Host, IPAddress? Address, string TraceIdentifier, IHeaderDictionary Headers)
{
    private static readonly HeaderDictionary None = new() { IsReadOnly = true };

    /// <param name="context">The client's request.</param>
    /// <param name="forwardsHeaders">Whether storage may get its headers. A client with the rights of a link or of a signed URL
    /// must not choose another tenant with them.</param>
    public static ClientContext From(HttpContext context, bool forwardsHeaders = true) => new(
        context.User, context.Request.Scheme, context.Request.Host, context.Connection.RemoteIpAddress, context.TraceIdentifier, forwardsHeaders ? context.Request.Headers : None);
}
