using System.Net;
using System.Net.Sockets;
using Gateway.Responses;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Gateway.Server;

/// <summary>
/// Listening sockets whose connections keep little that has not been sent yet. The send buffer holds what is on its way and what
/// waits behind it; only the second part is of no use, and a client that stands still fills it with some 4 MiB of storage's bytes.
/// </summary>
internal sealed class ClientSockets(IOptions<ClientOptions> options) : IConfigureOptions<SocketTransportOptions>
{
    // tcp(7), TCP_NOTSENT_LOWAT: a write waits while as many bytes have not been sent. What has been sent and is not yet
    // acknowledged is not bounded, so distant clients lose no speed. Accepted sockets inherit it.
    private const int TcpNotSentLowWater = 25;

    // What the server holds of a response before a flush waits. The default of 64 KiB was no faster, and every client that
    // stands still fills it.
    private const int WriteBuffer = 16 * 1024;

    // What the server reads ahead of requests that wait for their turn. The default of 1 MiB is there for a client that sends many and
    // never reads; a header section of 32 KiB fits.
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
