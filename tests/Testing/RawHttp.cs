using System.Net.Sockets;
using System.Text;

namespace Testing;

/// <summary>Requests that no HTTP library would send, byte for byte.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Sends a request and reads until the server closes.</summary>
    /// <param name="address">The server.</param>
    /// <param name="target">The request target, verbatim.</param>
    /// <param name="method">The method.</param>
    /// <param name="headers">Further header lines, each with its end.</param>
    /// <param name="host">The Host header; the server's authority if null.</param>
    /// <returns>The response, headers and body.</returns>
    public static async Task<string> SendAsync(Uri address, string target, string method = "GET", string headers = "", string? host = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, patience.Token);
        await using var stream = client.GetStream();
        var request = $"{method} {target} HTTP/1.1\r\nHost: {host ?? address.Authority}\r\nConnection: close\r\n{headers}\r\n";
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request), patience.Token);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(patience.Token);
    }

    /// <summary>The status of a response.</summary>
    public static int StatusOf(string response) => int.Parse(response.Split(' ', 3)[1], System.Globalization.CultureInfo.InvariantCulture);
}
