using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Server;

/// <summary>What the server accepts from unknown clients before their requests are processed. Section <c>Kestrel:Limits</c>, with the names and
/// units of Kestrel's <see cref="KestrelServerLimits"/>.</summary>
internal static class ServerLimits
{
    private const string Section = "Kestrel:Limits";

    /// <summary>Sets the defaults, then the configured values.</summary>
    /// <exception cref="InvalidOperationException">An unknown key, or a value out of its range.</exception>
    public static void Apply(KestrelServerLimits limits, IConfiguration configuration)
    {
        // 240 bytes per second would end a client that pauses an archive, and over HTTP/2 the rate cannot be disabled for one request.
        // ResponseTimeout ends clients that do not read other responses.
        limits.MinResponseDataRate = null;

        // The default of 1 MiB is what a client that sends and never reads could hold.
        limits.MaxRequestBufferSize = 64 * 1024;

        // No legitimate headers take this long; an idle new connection costs memory.
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);

        // Manifests have a separate limit; what is proxied may be larger, as the operator decides.
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
            // The inner exception does not contain the key.
            throw new InvalidOperationException(e.Message);
        }
    }
}
