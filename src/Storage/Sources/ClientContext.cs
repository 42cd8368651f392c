using System.Net;
using System.Security.Claims;

namespace Gateway.Storage.Sources;

/// <summary>The client whose bundle the sub-requests serve, as far as they need it: for YARP's forwarded headers, and those of its headers that a
/// source names.</summary>
public sealed record ClientContext(ClaimsPrincipal User, string Scheme, HostString Host, IPAddress? Address, string TraceIdentifier, IHeaderDictionary Headers)
{
    private static readonly HeaderDictionary None = new() { IsReadOnly = true };

    /// <summary>The client of a request.</summary>
    public static ClientContext From(HttpContext context) => new(
        context.User, context.Request.Scheme, context.Request.Host, context.Connection.RemoteIpAddress, context.TraceIdentifier, context.Request.Headers);

    /// <summary>The client of a request whose headers do not count: with the rights of a link or of a signed URL, a client must not be able to choose another
    /// tenant by a header.</summary>
    public static ClientContext FromWithoutHeaders(HttpContext context) => From(context) with { Headers = None };
}
