using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Server;

/// <summary>What the server takes from strangers before anybody has looked at it. Section <c>Kestrel:Limits</c>, with the names and units of
/// Kestrel's own <see cref="KestrelServerLimits"/>.</summary>
internal static class ServerLimits
{
    private const string Section = "Kestrel:Limits";

    /// <summary>Sets the defaults, and over them what is configured.</summary>
    /// <exception cref="InvalidOperationException">A key that there is not, or a value out of its range.</exception>
    public static void Apply(KestrelServerLimits limits, IConfiguration configuration)
    {
        // 240 bytes a second would end a client that pauses an archive, and over HTTP/2 the rate cannot be lifted for one request alone.
        // ResponseTimeout ends clients that do not take other responses.
        limits.MinResponseDataRate = null;

        // The default of 1 MiB is what a client that sends and never reads could hold.
        limits.MaxRequestBufferSize = 64 * 1024;

        // Nobody's headers take this long; a connection that is opened and says nothing costs memory.
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);

        // Manifests are read under a bound of their own; what is proxied may be larger and is the operator's to allow.
        limits.Http2.MaxStreamsPerConnection = 100;
        try
        {
            configuration.GetSection(Section).Bind(limits, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (TargetInvocationException e)
        {
            throw new InvalidOperationException($"{Section}: {e.GetBaseException().Message}");
        }
        catch (InvalidOperationException e)
        {
            // What it was caused by does not name the key.
            throw new InvalidOperationException(e.Message);
        }
    }
}
