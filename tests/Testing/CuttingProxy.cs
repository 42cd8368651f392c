using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Testing;

/// <summary>A connection that breaks: forwards connections to a server, and cuts the first ones after a number of response bytes.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<long> _cuts;
    private readonly ConcurrentQueue<string> _heads = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Uri _server;
    private readonly Task _accepting;

    /// <param name="server">Where connections are forwarded.</param>
    /// <param name="path">Requests for other paths are never cut, and are not counted.</param>
    /// <param name="cuts">Response bytes that are forwarded before each cut.</param>
    public CuttingProxy(Uri server, string path, params long[] cuts)
    {
        _server = server;
        Path = path;
        _cuts = new(cuts);
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    public string Path { get; }

    /// <summary>How a cut appears to the client.</summary>
    public Ending Ending { get; init; } = Ending.Reset;

    /// <summary>The headers of the requests for the path.</summary>
    public IReadOnlyCollection<string> Requests => _heads;

    public int CutsLeft => _cuts.Count;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(HashSkippedPrefixAsync(await _listener.AcceptSocketAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task HashSkippedPrefixAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using (client)
        {
            try
            {
                await server.ConnectAsync(_server.Host, _server.Port, _stop.Token);
                var buffer = new byte[64 * 1024];
                var read = await client.ReceiveAsync(buffer, _stop.Token);
                var head = Encoding.Latin1.GetString(buffer, 0, read);
                var cut = long.MaxValue;
                if (head.Split(' ') is [_, var path, ..] && path == Path)
                {
                    _heads.Enqueue(head);
                    cut = _cuts.TryDequeue(out var bytes) ? bytes : cut;
                }

                await server.SendAsync(buffer.AsMemory(0, read), _stop.Token);
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                var up = CopyAsync(client, server, long.MaxValue, stop.Token);
                await CopyAsync(server, client, cut, _stop.Token);
                await stop.CancelAsync();
                if (Ending == Ending.Reset)
                {
                    client.LingerState = new LingerOption(true, 0);
                }
                else
                {
                    client.Shutdown(SocketShutdown.Send);
                }

                await up;
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // One side closed the connection, or the test is over.
            }
        }
    }

    private static async Task CopyAsync(Socket from, Socket to, long most, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (most > 0 && await from.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, most)), cancellationToken) is > 0 and var count)
        {
            await to.SendAsync(buffer.AsMemory(0, count), cancellationToken);
            most -= count;
        }
    }
}
