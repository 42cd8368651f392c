using System.Net;
using System.Security.Claims;

namespace Gateway.Storage.Sources;

/// <summary>The client whose bundle the sub-requests serve, as far as they need it: for YARP's forwarded headers, and those of its headers that a
/// source names.</summary>
public sealed record ClientContext(ClaimsPrincipal User, string Scheme, HostString Host, IPAddress? Address, string TraceIdentifier, IHeaderDictionary Headers)
{
    private static readonly HeaderDictionary None = new() { IsReadOnly = true };

    /// <param name="context">The client's request.</param>
    /// <param name="forwardsHeaders">Whether its headers count. A client with the rights of a link or of a signed URL must not be able to
    /// choose another tenant with them.</param>
    public static ClientContext From(HttpContext context, bool forwardsHeaders = true) => new(
        context.User, context.Request.Scheme, context.Request.Host, context.Connection.RemoteIpAddress, context.TraceIdentifier, forwardsHeaders ? context.Request.Headers : None);
}
