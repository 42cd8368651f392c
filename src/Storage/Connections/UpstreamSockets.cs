using System.Net.Sockets;

namespace Gateway.Storage.Connections;

/// <summary>
/// Connections to storage whose kernel receive buffer is bounded (Linux). The kernel's own tuning lets it grow to several MiB
/// while a client reads, and the buffer stays full once the client stops.
/// </summary>
internal static class UpstreamSockets
{
    // tcp(7), TCP_INFO. The smoothed round-trip time has the same offset in every kernel's structure.
    private const int TcpInfo = 11;
    private const int RoundTripOffset = 68;

    // The target for a connection to distant storage: 1 Gbit/s is 119 MiB/s.
    private const long BytesPerSecond = 100 << 20;

    // socket(7): the kernel doubles SO_RCVBUF, because the buffer also holds its bookkeeping. About half of it is the window.
    private const int Doubling = 2;

    // Half of the largest value that the option can hold without an overflow.
    private const int Enormous = 1 << 29;

    // A silent peer is detected after about 30 s: a firewall that dropped the connection, a machine that is gone.
    private const int KeepAliveProbes = 3;
    private static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(5);

    /// <summary>How long a connection may be silent before the first keep-alive probe.</summary>
    public static readonly TimeSpan KeepAliveDelay = TimeSpan.FromSeconds(15);

    private static readonly Lazy<int> MeasuredLargest = new(FindLargest);

    /// <summary>The largest buffer that the kernel grants: twice <c>net.core.rmem_max</c>.</summary>
    public static int Largest => MeasuredLargest.Value;

    /// <summary>Connects.</summary>
    /// <param name="context">The destination.</param>
    /// <param name="near">The receive buffer, see <see cref="UpstreamOptions.WindowBytes"/>; 0 leaves it to the kernel.</param>
    /// <param name="far">The same for a distant destination.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, int near, int far, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            KeepAlive(socket);
            if (near > 0)
            {
                Bound(socket, near, far);
            }

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The buffer for a connection: what arrives within a round trip at full speed. The window is transferred once per round trip, so a
    /// larger one would only fill up, and a smaller one would slow a distant connection down.
    /// </summary>
    /// <param name="roundTrip">Round-trip time of the handshake.</param>
    /// <param name="near">Minimum in bytes.</param>
    /// <param name="far">Maximum in bytes.</param>
    /// <param name="largest">Maximum that the kernel grants.</param>
    /// <returns>Null if the kernel does not grant what a distant connection needs: then its own tuning is better than a small bound.</returns>
    public static int? BufferFor(TimeSpan roundTrip, int near, int far, int largest)
    {
        var needed = Doubling * roundTrip.TotalSeconds * BytesPerSecond;
        if (needed <= near || far <= near)
        {
            return near;
        }

        var buffer = (int)Math.Min(needed, far);
        return buffer <= largest ? buffer : null;
    }

    // After connecting: the handshake has measured the round trip and agreed on a window scale that leaves room to grow.
    // No byte of a body is sent before the request.
    private static void Bound(Socket socket, int near, int far)
    {
        if (BufferFor(GetRoundTrip(socket), near, far, Largest) is { } buffer)
        {
            // SO_RCVBUF ends the kernel's tuning. TCP_WINDOW_CLAMP does not, and current kernels raise it again while data flows.
            socket.ReceiveBufferSize = buffer / Doubling;
        }
    }

    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)KeepAliveDelay.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)KeepAliveInterval.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
    }

    private static TimeSpan GetRoundTrip(Socket socket)
    {
        Span<byte> info = stackalloc byte[RoundTripOffset + sizeof(uint)];
        var length = socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info);
        return length < info.Length ? TimeSpan.Zero : TimeSpan.FromMicroseconds(BitConverter.ToUInt32(info[RoundTripOffset..]));
    }

    private static int FindLargest()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = Enormous };
        return socket.ReceiveBufferSize;
    }
}
