using System.Net;
using System.Net.Sockets;

namespace Testing;

/// <summary>A port that refuses connections, and that nobody else can take meanwhile: bound, and not listened on.</summary>
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
