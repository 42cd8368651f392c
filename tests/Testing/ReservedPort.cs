using System.Net;
using System.Net.Sockets;

namespace Testing;

/// <summary>
/// Ports for programs that cannot choose one themselves. No other test gets such a port while this process runs, also not one of another
/// process: the port lies below those that systems give to "port 0", and a UDP socket on the same number marks it as taken.
/// </summary>
internal static class ReservedPort
{
    private const int First = 20_000, Count = 10_000;

    private static readonly List<Socket> Marks = [];

    /// <summary>Reserves a port on which nothing listens.</summary>
    public static int Next()
    {
        for (var attempt = 0; attempt < Count; attempt++)
        {
            var address = new IPEndPoint(IPAddress.Loopback, First + Random.Shared.Next(Count));
            var mark = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            if (TryBind(mark, address) && IsUnused(address))
            {
                lock (Marks)
                {
                    Marks.Add(mark);
                }

                return address.Port;
            }

            mark.Dispose();
        }

        throw new InvalidOperationException($"No port between {First} and {First + Count - 1} is free.");
    }

    private static bool IsUnused(IPEndPoint address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        return TryBind(socket, address);
    }

    private static bool TryBind(Socket socket, IPEndPoint address)
    {
        try
        {
            socket.Bind(address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
