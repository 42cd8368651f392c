using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>Specific to HTTP/2: several bundles on one connection, of which one is aborted or stalls.</summary>
public sealed class Http2Tests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public static TheoryData<Protocol, string> All => Ways.Each([Protocol.Http2, Protocol.Http2Tls], Ways.Recipes);

    public async ValueTask InitializeAsync() => _gateway = await GatewayUnderTest.StartAsync(_upstream.Address);

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Row_16_A_loss_between_two_entries_resets_the_stream_and_does_not_affect_others_on_the_connection(Protocol protocol, string recipe)
    {
        _upstream.Put("/a", 512 * 300, seed: 1);
        _upstream.Put("/large", new ObjectContent(10 << 20, 3, compressible: false));
        var client = _gateway.ClientOf(protocol);
        var other = Download.GetAsync(client, $"/bundle?ids=s/large&{recipe}");

        (await Download.GetAsync(client, $"/bundle?ids=s/a,s/none&missing=abort&{recipe}")).RequireCut();

        Assert.Single((await other).RequireWhole());
    }

    [Theory]
    [InlineData(Protocol.Http2, "--http2-prior-knowledge")]
    [InlineData(Protocol.Http2Tls, "--http2")]
    public async Task Curl_sees_the_reset(Protocol protocol, string option)
    {
        _upstream.Put("/a", 512 * 300, seed: 1);

        var curl = await Tool.RunAsync("curl", ["-sk", option, "-o", "/dev/null", new Uri(_gateway.AddressOf(protocol), "/bundle?ids=s/a,s/none&missing=abort").AbsoluteUri]);

        Assert.Equal(92, curl.ExitCode);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Row_27_One_stalled_stream_of_ten_does_not_delay_the_others(Protocol protocol, string recipe)
    {
        _upstream.Put("/large", new ObjectContent(100 << 20, 3, compressible: false));
        var body = _upstream.Put("/a", 300_000, seed: 1);
        var client = _gateway.ClientOf(protocol);
        using var stalled = await client.GetAsync($"/bundle?ids=s/large&{recipe}", HttpCompletionOption.ResponseHeadersRead);

        foreach (var download in await Task.WhenAll(Enumerable.Range(0, 9).Select(_ => Download.GetAsync(client, $"/bundle?ids=s/a&{recipe}"))))
        {
            Assert.Equal(body, download.RequireWhole()["s/a"]);
        }
    }
}
