using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Server;

/// <summary>A client that sends and never reads uses little memory, and not for long.</summary>
public sealed class ResponseTimeoutTests : IAsyncDisposable
{
    private readonly ScriptedUpstream _upstream = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    public ResponseTimeoutTests() => _upstream.Put("/a", 10, seed: 1);

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [InlineData("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET /bundle?ids=nothing HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET /s/..%2fx HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("GET /s/a HTTP/1.1\r\nHost: x\r\n\r\n")]
    public async Task A_client_that_pipelines_requests_and_never_reads_is_closed(string request)
    {
        // YARP has its own timeout.
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HttpRequest:ActivityTimeout", "00:00:01");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration, builder => builder.Services.AddSingleton<TimeProvider>(_time));
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port, TestContext.Current.CancellationToken);

        var sent = 0L;
        var many = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, 1000)));
        var sending = Task.Run(async () =>
        {
            while (true)
            {
                sent += await client.SendAsync(many);
            }
        });
        await Eventually.StandsStillAsync(() => Volatile.Read(ref sent), TimeSpan.FromSeconds(1));

        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMinutes(6));
                return sending.IsCompleted;
            },
            "the connection is closed");
        await Assert.ThrowsAnyAsync<SocketException>(() => sending);
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/bundle?ids=nothing")]
    [InlineData("/bundle/plan?ids=s/a")]
    [InlineData("/bundle?ids=s/a")]
    [InlineData("/bundle?ids=s/a&format=tar")]
    [InlineData("/s/a")]
    public async Task A_connection_whose_HTTP_2_windows_stay_closed_is_closed(string path)
    {
        await using var gateway = await GatewayUnderTest.StartAsync(
            GatewayUnderTest.Configuration(("s", [_upstream.Address])), builder => builder.Services.AddSingleton<TimeProvider>(_time));
        await using var wire = await Http2Wire.ConnectAsync(gateway.AddressOf(Protocol.Http2));

        // SETTINGS_INITIAL_WINDOW_SIZE of 0 (RFC 9113, section 6.5.2).
        await wire.SendAsync(Http2FrameType.Settings, 0, 0, [0, 4, 0, 0, 0, 0]);
        await wire.SendAsync(Http2FrameType.Headers, Http2Wire.EndHeaders | Http2Wire.EndStream, 1, Http2Wire.Request("GET", path));

        var advancing = Task.CompletedTask;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await wire.ReadAsync(patience.Token) is { } frame)
        {
            Assert.NotEqual(Http2FrameType.Data, frame.Type);
            if (frame is { Stream: 1, Type: Http2FrameType.Headers })
            {
                // The body is pending now, or soon.
                advancing = AdvanceAsync(patience.Token);
            }
        }

        await patience.CancelAsync();
        await advancing;
    }

    private async Task AdvanceAsync(CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (await ticks.WaitForNextTickAsync(cancellationToken))
            {
                _time.Advance(TimeSpan.FromMinutes(6));
            }
        }
        catch (OperationCanceledException)
        {
            // The test has ended.
        }
    }

    [Fact]
    public async Task A_response_that_is_read_in_time_is_whole_on_every_protocol()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        foreach (var client in Ways.Protocols.Select(gateway.ClientOf))
        {
            Assert.Equal(10, (await client.GetByteArrayAsync("/s/a", TestContext.Current.CancellationToken)).Length);
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/nothing", TestContext.Current.CancellationToken)).StatusCode);
            Assert.Equal("Healthy", await client.GetStringAsync("/health/live", TestContext.Current.CancellationToken));
        }
    }
}
