using System.Net;
using System.Net.Sockets;
using System.Security.Claims;

namespace Gateway.Admission;

/// <summary>
/// What counts as one client for limits: a token's issuer and subject, the owner of an API key, or else an address. Holders of signed URLs
/// are anonymous, so they are counted by address.
/// </summary>
internal static class ClientIdentity
{
    private const string Issuer = "iss";
    private const string Subject = "sub";

    // The smallest network that one customer gets (RFC 6177): a client can choose any address inside it.
    private const int NetworkBytes = 64 / 8;

    public static string From(HttpContext context)
    {
        foreach (var identity in context.User.Identities.Where(identity => identity.IsAuthenticated))
        {
            // The framework may rename the incoming "sub" claim.
            if ((identity.FindFirst(Subject) ?? identity.FindFirst(ClaimTypes.NameIdentifier)) is { Value.Length: > 0 } subject)
            {
                return $"{identity.AuthenticationType}\n{identity.FindFirst(Issuer)?.Value ?? subject.Issuer}\n{subject.Value}";
            }

            // Only the gateway's own schemes provide unique names.
            if (identity is { Name: { Length: > 0 } name } && !identity.HasClaim(claim => claim.Type == Issuer))
            {
                return $"{identity.AuthenticationType}\n{name}";
            }
        }

        return From(context.Connection.RemoteIpAddress);
    }

    private static string From(IPAddress? address)
    {
        if (address is not { AddressFamily: AddressFamily.InterNetworkV6 })
        {
            return $"{address}";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return $"{address.MapToIPv4()}";
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return $"{new IPAddress(bytes)}/64";
    }
}
