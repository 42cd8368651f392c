using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>The same promises over HTTP/2, where a cut is a stream that is reset.</summary>
public sealed class Http2Tests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Kestrel:EndpointDefaults:Protocols", "Http2");
        _gateway = await GatewayUnderTest.StartAsync(configuration);
        _gateway.Client.DefaultRequestVersion = HttpVersion.Version20;
        _gateway.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Row_9_A_reset_after_k_bytes_is_continued_at_that_byte()
    {
        var body = _upstream.Put("/a", 2_000_000, seed: 1);
        _upstream.Fail("/a", Fault.Reset(1_000_000));

        var download = await GetAsync("/bundle?ids=s/a");

        Assert.Equal(body, download.RequireWhole()["s/a"]);
        Assert.Equal(HttpVersion.Version20, download.Response.Version);
    }

    [Fact]
    public async Task Row_16_A_loss_between_two_entries_resets_the_stream_and_leaves_the_others_of_the_connection_alone()
    {
        _upstream.Put("/a", 512 * 300, seed: 1);
        _upstream.Put("/large", new ObjectContent(30 << 20, 3, compressible: false));
        var other = GetAsync("/bundle?ids=s/large");

        (await GetAsync("/bundle?ids=s/a,s/none&missing=abort")).RequireCut();

        Assert.Single((await other).RequireWhole());
    }

    [Fact]
    public async Task Curl_sees_the_reset()
    {
        _upstream.Put("/a", 512 * 300, seed: 1);

        var curl = await Tool.RunAsync(
            "curl", ["-s", "--http2-prior-knowledge", "-o", "/dev/null", new Uri(_gateway.Address, "/bundle?ids=s/a,s/none&missing=abort").AbsoluteUri]);

        Assert.Equal(92, curl.ExitCode);
    }

    [Fact]
    public async Task Row_27_One_stalled_stream_of_ten_holds_no_other_back()
    {
        _upstream.Put("/large", new ObjectContent(100 << 20, 3, compressible: false));
        var body = _upstream.Put("/a", 1_000_000, seed: 1);
        using var stalled = await _gateway.Client.GetAsync("/bundle?ids=s/large", HttpCompletionOption.ResponseHeadersRead);

        foreach (var download in await Task.WhenAll(Enumerable.Range(0, 9).Select(_ => GetAsync("/bundle?ids=s/a"))))
        {
            Assert.Equal(body, download.RequireWhole()["s/a"]);
        }
    }

    private Task<Download> GetAsync(string url) =>
        Download.SendAsync(_gateway.Client, new HttpRequestMessage(HttpMethod.Get, url) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact });
}
