using Testing;

namespace Reliability;

/// <summary>One gateway that listens with and without TLS, and every client for it.</summary>
internal sealed class Gateways : IAsyncDisposable
{
    private readonly GatewayUnderTest _gateway;

    private Gateways(GatewayUnderTest gateway)
    {
        _gateway = gateway;
        (string Protocol, Reader Reader, string Address)[] ways =
        [
            ("HTTP/1.1", new HttpClientReader(Protocol.Http1), Plain),
            ("HTTP/1.1 with TLS", new HttpClientReader(Protocol.Http1Tls), Tls),
            ("HTTP/2", new HttpClientReader(Protocol.Http2), Cleartext2),
            ("HTTP/2 with TLS", new HttpClientReader(Protocol.Http2Tls), Tls),
            ("HTTP/1.1", new CurlReader(Protocol.Http1), Plain),
            ("HTTP/1.1 with TLS", new CurlReader(Protocol.Http1Tls), Tls),
            ("HTTP/2", new CurlReader(Protocol.Http2), Cleartext2),
            ("HTTP/2 with TLS", new CurlReader(Protocol.Http2Tls), Tls),
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

    private string Plain => _gateway.AddressOf(Protocol.Http1).ToString();

    private string Cleartext2 => _gateway.AddressOf(Protocol.Http2).ToString();

    private string Tls => _gateway.AddressOf(Protocol.Http1Tls).ToString();

    public static async Task<Gateways> StartAsync(string upstream)
    {
        // More attempts would only take longer: the faults here are permanent.
        return new Gateways(await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], upstream));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, reader, _) in Ways)
        {
            await reader.DisposeAsync();
        }

        await _gateway.DisposeAsync();
    }
}
