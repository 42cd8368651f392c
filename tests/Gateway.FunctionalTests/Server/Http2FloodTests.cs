using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Server;

/// <summary>Frames that only malicious clients send: slow headers, immediate resets, endless headers.</summary>
public sealed class Http2FloodTests : IAsyncLifetime
{
    private const string Bundle = "/bundle?ids=s/a&missing=abort";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 1_000_000, seed: 1);
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Kestrel:Limits:RequestHeadersTimeout", "00:00:01");
        _gateway = await GatewayUnderTest.StartAsync(configuration);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Row_28_Headers_that_do_not_end_in_time_end_the_connection()
    {
        await using var wire = await ConnectAsync();
        await wire.SendAsync(Http2FrameType.Headers, Http2Wire.EndStream, 1, Http2Wire.Request("GET", Bundle));

        await RequireEndAsync(wire);

        Assert.Empty(_upstream.Requests);
    }

    [Fact]
    public async Task Row_28_A_slow_manifest_returns_408_or_a_reset()
    {
        await using var wire = await ConnectAsync();
        await wire.SendAsync(
            Http2FrameType.Headers, Http2Wire.EndHeaders, 1, Http2Wire.Request("POST", "/bundle", ("content-type", "application/json"), ("content-length", "1000")));
        await wire.SendAsync(Http2FrameType.Data, 0, 1, "{"u8.ToArray());

        using var patience = new CancellationTokenSource(Patience);
        Http2Frame? frame;
        do
        {
            frame = await wire.ReadAsync(patience.Token);
        }
        while (frame is { Type: not (Http2FrameType.Headers or Http2FrameType.ResetStream or Http2FrameType.GoAway) });

        Assert.StartsWith("Client/", (await _gateway.RequireOneOutcomeAsync()).Blame, StringComparison.Ordinal);
        Assert.Empty(_upstream.Requests);
    }

    [Fact]
    public async Task Streams_that_are_reset_at_once_leave_nothing_behind()
    {
        // CVE-2023-44487: each stream costs the client two small frames and, without protection, the server a bundle.
        const int Most = 20_000;
        await using var wire = await ConnectAsync();
        var request = Http2Wire.Request("GET", Bundle);
        var sent = 0;
        try
        {
            for (; sent < Most; sent++)
            {
                await wire.SendAsync(Http2FrameType.Headers, Http2Wire.EndStream | Http2Wire.EndHeaders, 1 + (2 * sent), request);
                await wire.SendAsync(Http2FrameType.ResetStream, 0, 1 + (2 * sent), [0, 0, 0, 8]);
            }
        }
        catch (IOException)
        {
            // The server has closed the connection.
        }

        // The server closes the connection if streams are reset faster than it cleans them up; on a busy machine it may keep up.
        await RequireServedAsync();
    }

    [Fact]
    public async Task Endless_headers_are_rejected_long_before_they_fill_memory()
    {
        // CVE-2024-27316 and similar: endless CONTINUATION frames.
        const int Most = 10_000;
        await using var wire = await ConnectAsync();
        await wire.SendAsync(Http2FrameType.Headers, Http2Wire.EndStream, 1, Http2Wire.Request("GET", Bundle));
        var sent = 0;
        try
        {
            for (; sent < Most; sent++)
            {
                await wire.SendAsync(Http2FrameType.Continuation, 0, 1, Http2Wire.Request("x", new string('x', 10_000))[4..]);
            }
        }
        catch (IOException)
        {
            // The server has closed the connection.
        }

        Assert.InRange(sent, 1, 1000);
        Assert.Empty(_upstream.Requests);
        await RequireServedAsync();
    }

    [Fact]
    public async Task Endless_SETTINGS_and_PING_frames_do_not_fill_memory()
    {
        const int Count = 20_000;
        await using var wire = await ConnectAsync();
        try
        {
            // The test does not read the responses.
            for (var i = 0; i < Count; i++)
            {
                await wire.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]).WaitAsync(TimeSpan.FromSeconds(2));
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // The server has closed the connection, or stops reading until its responses are read.
        }

        await RequireServedAsync();
    }

    private Task<Http2Wire> ConnectAsync() => Http2Wire.ConnectAsync(_gateway.AddressOf(Protocol.Http2));

    private static async Task RequireEndAsync(Http2Wire wire)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await wire.ReadAsync(patience.Token) is { Type: not Http2FrameType.GoAway })
        {
        }
    }

    /// <summary>Other clients are served meanwhile, and everything that was started has ended.</summary>
    private async Task RequireServedAsync()
    {
        Assert.Equal(HttpStatusCode.OK, (await _gateway.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Single((await Download.GetAsync(_gateway.ClientOf(Protocol.Http2), "/bundle?ids=s/a")).RequireWhole());
        await _gateway.RequireNothingHeldSoonAsync();
    }
}
