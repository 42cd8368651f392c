using System.Net.Sockets;

namespace Gateway.Upstreams;

/// <summary>
/// Connections to storage whose receive buffer in the kernel is bounded (Linux). The kernel's own tuning lets it grow to several MiB
/// while a client reads, and once the client stops the buffer stays full.
/// </summary>
internal static class UpstreamSockets
{
    // tcp(7), TCP_INFO. The smoothed round-trip time stands at the same place in every kernel's structure.
    private const int TcpInfo = 11;
    private const int RoundTripOffset = 68;

    // What one connection to distant storage is to reach: 1 Gbit/s is 119 MiB/s.
    private const long BytesPerSecond = 100 << 20;

    // socket(7): the kernel doubles SO_RCVBUF, because a buffer holds its own records, too. About half of it is the window.
    private const int Doubling = 2;

    // Half of the largest that the option can carry without an overflow.
    private const int Enormous = 1 << 29;

    private static readonly Lazy<int> MeasuredLargest = new(FindLargest);

    /// <summary>The largest buffer that the kernel grants: twice <c>net.core.rmem_max</c>.</summary>
    public static int Largest => MeasuredLargest.Value;

    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, int near, int far, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            Bound(socket, near, far);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The buffer for a connection: what arrives within a round trip at full speed. The window passes once in a round trip, so a
    /// larger one would only fill up, and a smaller one would slow a distant connection down.
    /// </summary>
    /// <param name="roundTrip">Of the handshake.</param>
    /// <param name="near">Bytes at least.</param>
    /// <param name="far">Bytes at most.</param>
    /// <param name="largest">What the kernel grants.</param>
    /// <returns>Null where the kernel does not grant what a distant connection needs: then its own tuning is better than a small bound.</returns>
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

    // After connecting: the handshake has measured the round trip, and has agreed on a scale of the window that leaves room to grow.
    // No byte of a body is on its way before the request.
    private static void Bound(Socket socket, int near, int far)
    {
        if (BufferFor(RoundTripOf(socket), near, far, Largest) is { } buffer)
        {
            // SO_RCVBUF ends the kernel's tuning. TCP_WINDOW_CLAMP does not, and current kernels raise it again while data flows.
            socket.ReceiveBufferSize = buffer / Doubling;
        }
    }

    private static TimeSpan RoundTripOf(Socket socket)
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
