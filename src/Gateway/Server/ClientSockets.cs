using System.Net;
using System.Net.Sockets;
using Gateway.Responses;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Gateway.Server;

/// <summary>
/// Listening sockets whose connections buffer little unsent data. The send buffer holds bytes in flight and bytes that wait to be
/// sent. Only the second part is useless: a stalled client fills it with some 4 MiB of storage's bytes.
/// </summary>
internal sealed class ClientSockets(IOptions<ClientOptions> options) : IConfigureOptions<SocketTransportOptions>
{
    // tcp(7), TCP_NOTSENT_LOWAT: a write waits while this many bytes are unsent. Sent but unacknowledged bytes are not limited, so
    // distant clients lose no speed. Accepted sockets inherit it.
    private const int TcpNotSentLowWater = 25;

    // What the server buffers of a response before a flush waits. The default of 64 KiB was no faster, and every stalled client
    // fills it.
    private const int WriteBuffer = 16 * 1024;

    // What the server reads ahead of pending requests. The default of 1 MiB would let a client that sends many requests and never
    // reads use that much; a header section of 32 KiB fits.
    private const int ReadBuffer = 64 * 1024;

    public void Configure(SocketTransportOptions transport)
    {
        transport.MaxWriteBufferSize = WriteBuffer;
        transport.MaxReadBufferSize = ReadBuffer;
        var unsent = options.Value.UnsentBytes;
        if (unsent > 0 && OperatingSystem.IsLinux())
        {
            transport.CreateBoundListenSocket = endpoint =>
            {
                var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
                if (endpoint is IPEndPoint)
                {
                    socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpNotSentLowWater, BitConverter.GetBytes(unsent));
                }

                return socket;
            };
        }
    }
}
