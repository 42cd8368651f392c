using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Testing;

/// <summary>How a client connects to the gateway.</summary>
public enum Protocol
{
    Http1,
    Http1Tls,

    /// <summary>HTTP/2 in cleartext with prior knowledge (RFC 9113, section 3.3).</summary>
    Http2,
    Http2Tls,
}

internal static class Protocols
{
    /// <summary>A client for this protocol only.</summary>
    /// <param name="protocol">The protocol.</param>
    /// <param name="address">The server.</param>
    /// <param name="handler">Its connections; null: the default.</param>
    [SuppressMessage("Security", "CA5359", Justification = "The certificate was made a moment ago.")]
    public static HttpClient CreateClient(this Protocol protocol, Uri address, SocketsHttpHandler? handler = null)
    {
        handler ??= new SocketsHttpHandler { AllowAutoRedirect = false };
        handler.UseProxy = false;
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        return new HttpClient(handler)
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromMinutes(5),
            DefaultRequestVersion = protocol.Version(),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <summary>The URL for this protocol among those of a gateway that listens for all.</summary>
    public static Uri Of(this Protocol protocol, IReadOnlyList<Uri> addresses) => addresses[protocol switch { Protocol.Http1 => 0, Protocol.Http2 => 1, _ => 2 }];

    public static Version Version(this Protocol protocol) => protocol is Protocol.Http2 or Protocol.Http2Tls ? HttpVersion.Version20 : HttpVersion.Version11;
}
