using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Server;

/// <summary>Frames that no honest client sends: who is slow, who takes everything back at once, whose headers never end.</summary>
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
    public async Task Row_28_A_slow_manifest_is_answered_408_or_reset()
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
    public async Task Streams_that_are_taken_back_at_once_leave_nothing_behind()
    {
        // CVE-2023-44487: each costs the client two small frames and, were nobody looking, the server a bundle.
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
            // The server has had enough.
        }

        // The server ends the connection when streams come back faster than it clears them away; on a machine with other work it may keep up.
        await RequireServedAsync();
    }

    [Fact]
    public async Task Headers_without_an_end_are_refused_long_before_they_fill_memory()
    {
        // CVE-2024-27316 and its kin: continuation after continuation.
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
            // The server has had enough.
        }

        Assert.InRange(sent, 1, 1000);
        Assert.Empty(_upstream.Requests);
        await RequireServedAsync();
    }

    [Fact]
    public async Task Settings_and_pings_without_number_are_no_way_to_fill_memory()
    {
        const int Count = 20_000;
        await using var wire = await ConnectAsync();
        try
        {
            // Nobody reads the answers.
            for (var i = 0; i < Count; i++)
            {
                await wire.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]).WaitAsync(TimeSpan.FromSeconds(2));
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // The server has had enough, or reads no more until its answers are taken.
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

    /// <summary>Others are served meanwhile, and what was begun has ended.</summary>
    private async Task RequireServedAsync()
    {
        Assert.Equal(HttpStatusCode.OK, (await _gateway.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Single((await Download.GetAsync(_gateway.ClientOf(Protocol.Http2), "/bundle?ids=s/a")).RequireWhole());
        await _gateway.RequireNothingHeldSoonAsync();
    }
}
