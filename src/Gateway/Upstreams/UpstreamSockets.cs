using System.Net.Sockets;

namespace Gateway.Upstreams;

/// <summary>
/// Connections to storage whose receive window is bounded: what the kernel takes ahead of a client that stands still would
/// otherwise grow to several MiB for each.
/// </summary>
internal static class UpstreamSockets
{
    // tcp(7), TCP_WINDOW_CLAMP: bounds the advertised window. SO_RCVBUF would do the same, but a common system limit caps it at
    // 208 KiB, and it ends the kernel's own tuning below the bound.
    private const int TcpWindowClamp = 10;

    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, int windowBytes, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // Before connecting: the scale of the window is agreed on with the first packet.
            if (OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpWindowClamp, BitConverter.GetBytes(windowBytes));
            }
            else
            {
                socket.ReceiveBufferSize = windowBytes;
            }

            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
