using System.Net;
using System.Net.Sockets;
using Gateway.Storage.Connections;

namespace Storage.Tests.Connections;

public class UpstreamSocketsTests
{
    private const int Near = 256 << 10;
    private const int Far = 4 << 20;

    [Theory]
    [InlineData(0, Near)]
    [InlineData(0.05, Near)]
    [InlineData(1.25, Near)]
    [InlineData(2.5, 2 * Near)]
    [InlineData(20, Far)]
    [InlineData(300, Far)]
    [InlineData(4_000_000, Far)]
    public void The_buffer_grows_with_the_round_trip_within_its_limits(double milliseconds, int expected) =>
        Assert.Equal(expected, UpstreamSockets.BufferFor(TimeSpan.FromMilliseconds(milliseconds), Near, Far, largest: 8 << 20));

    [Theory]
    [InlineData(0)]
    [InlineData(Near)]
    public void If_the_far_limit_does_not_exceed_the_near_one_every_connection_gets_the_same(int far) =>
        Assert.Equal(Near, UpstreamSockets.BufferFor(TimeSpan.FromMilliseconds(100), Near, far, largest: 8 << 20));

    [Fact]
    public void A_distant_connection_keeps_the_kernel_s_tuning_if_the_kernel_does_not_grant_enough()
    {
        Assert.Null(UpstreamSockets.BufferFor(TimeSpan.FromMilliseconds(20), Near, Far, largest: 416 << 10));
        Assert.Equal(Near, UpstreamSockets.BufferFor(TimeSpan.FromMilliseconds(0.1), Near, Far, largest: 416 << 10));
        Assert.Equal(Near, UpstreamSockets.BufferFor(TimeSpan.FromMilliseconds(0.1), Near, Far, largest: 64 << 10));
    }

    [Fact]
    public async Task A_near_connection_has_exactly_its_buffer_in_the_kernel()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Socket? socket = null;
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var stream = await UpstreamSockets.ConnectAsync(context, 128 << 10, 128 << 10, cancellationToken);
                socket = ((NetworkStream)stream).Socket;
                return stream;
            },
        });

        var request = client.GetAsync($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        using var accepted = await listener.AcceptSocketAsync();
        await accepted.ReceiveAsync(new byte[1]);

        Assert.Equal(128 << 10, socket!.ReceiveBufferSize);
        accepted.Dispose();
        await Assert.ThrowsAsync<HttpRequestException>(() => request);
    }
}
