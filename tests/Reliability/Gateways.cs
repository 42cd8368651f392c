using System.Net;
using Testing;

namespace Reliability;

/// <summary>One gateway that listens with and without TLS, and every client for it.</summary>
internal sealed class Gateways : IAsyncDisposable
{
    private readonly GatewayUnderTest _gateway;
    private readonly string _certificate;

    private Gateways(GatewayUnderTest gateway, string certificate)
    {
        _gateway = gateway;
        _certificate = certificate;
        (string Protocol, Reader Reader, string Address)[] ways =
        [
            ("HTTP/1.1", new HttpClientReader(HttpVersion.Version11), Plain),
            ("HTTP/1.1 with TLS", new HttpClientReader(HttpVersion.Version11), Tls),
            ("HTTP/2 with TLS", new HttpClientReader(HttpVersion.Version20), Tls),
            ("HTTP/1.1", new CurlReader(http2: false), Plain),
            ("HTTP/1.1 with TLS", new CurlReader(http2: false), Tls),
            ("HTTP/2 with TLS", new CurlReader(http2: true), Tls),
            ("HTTP/1.1", new ScriptReader("python3", "client.py", "http.client"), Plain),
            ("HTTP/1.1 with TLS", new ScriptReader("python3", "client.py", "http.client"), Tls),
            ("HTTP/1.1", new ScriptReader("python3", "client.py", "urllib"), Plain),
            ("HTTP/1.1 with TLS", new ScriptReader("python3", "client.py", "urllib"), Tls),
            ("HTTP/1.1", new ScriptReader("node", "client.js", "node"), Plain),
            ("HTTP/1.1 with TLS", new ScriptReader("node", "client.js", "node"), Tls),
        ];
        Ways = ways;
    }

    public IReadOnlyList<(string Protocol, Reader Reader, string Address)> Ways { get; }

    public OutcomeLog Outcomes => _gateway.Outcomes;

    private string Plain => _gateway.Addresses.First(address => address.StartsWith("http:", StringComparison.Ordinal));

    private string Tls => _gateway.Addresses.First(address => address.StartsWith("https:", StringComparison.Ordinal));

    public static async Task<Gateways> StartAsync(string upstream)
    {
        var certificate = Path.GetTempFileName();
        await File.WriteAllBytesAsync(certificate, TestCertificate.Create());
        var configuration = GatewayUnderTest.Configuration(("s", [upstream]));
        GatewayUnderTest.Set(configuration, "Kestrel:Certificates:Default:Path", certificate);

        // More tries would only take longer: what is broken here stays broken.
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:Attempts", 1);
        return new Gateways(await GatewayUnderTest.StartAsync(configuration, urls: "http://127.0.0.1:0;https://127.0.0.1:0"), certificate);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, reader, _) in Ways)
        {
            await reader.DisposeAsync();
        }

        await _gateway.DisposeAsync();
        File.Delete(_certificate);
    }
}
