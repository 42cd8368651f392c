using System.Net;
using System.Net.Sockets;

namespace Testing;

/// <summary>A port that refuses connections and that no other process can take meanwhile: bound, but not listened on.</summary>
internal sealed class ClosedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ClosedPort()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Address = $"http://{_socket.LocalEndPoint}/";
    }

    public string Address { get; }

    public void Dispose() => _socket.Dispose();
}
