using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>Real clients on a connection that breaks several times.</summary>
public sealed class CutClientTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 3_000_000, seed: 1, compressible: false);
        _upstream.Put("/b", 3_000_000, seed: 2);
        _upstream.Put("/c", 3_000_000, seed: 3, compressible: false);
        _gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("&format=tar", true)]
    [InlineData("&format=tar", false)]
    [InlineData("&format=zip", false)]
    public async Task Chromium_s_own_resume_produces_the_exact_bytes(string recipe, bool resets)
    {
        if (recipe.Length > 0)
        {
            Matrix.RequireFull();
        }

        await using var chromium = await Chromium.StartAsync();
        var url = "/bundle?ids=s/a,s/b,s/c" + recipe;
        await using var proxy = new CuttingProxy(_gateway.Address, url, 2_000_000, 1_500_000, 700_000) { Ending = resets ? Ending.Reset : Ending.Close };

        var file = await chromium.DownloadAsync(new Uri(proxy.Address, url));

        Assert.Equal(0, proxy.CutsLeft);
        Assert.True(proxy.Requests.Count >= 4, string.Join('\n', proxy.Requests));
        Assert.Equal((await Download.GetAsync(_gateway.Client, url)).Bytes, file);
    }

    [Theory]
    [InlineData("wget", "")]
    [InlineData("wget", "&format=tar.zst")]
    [InlineData("wget", "&format=zip&compression=store")]
    [InlineData("curl", "")]
    [InlineData("curl", "&format=tar")]
    [InlineData("curl", "&format=zip")]
    public async Task Command_line_clients_that_retry_produce_the_exact_bytes(string client, string recipe)
    {
        var url = "/bundle?ids=s/a,s/b,s/c" + recipe;
        await using var proxy = new CuttingProxy(_gateway.Address, url, 2_000_000, 1_500_000, 700_000);
        var (file, address) = (Path.GetTempFileName(), new Uri(proxy.Address, url).ToString());
        File.Delete(file);

        // wget continues by itself after a reset; a closed connection it treats as the end of a chunked body. curl has to be called
        // again.
        var arguments = client == "wget"
            ? new[] { "-q", "-c", "--waitretry=0", "--retry-connrefused", "-t", "10", "-O", file, address }
            : ["-sS", "-C", "-", "-o", file, address];
        var result = await Tool.RunAsync(client, arguments);
        for (var tries = 0; client == "curl" && result.ExitCode != 0 && tries < 5; tries++)
        {
            result = await Tool.RunAsync(client, arguments);
        }

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(0, proxy.CutsLeft);
        Assert.Equal((await Download.GetAsync(_gateway.Client, url)).Bytes, await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        File.Delete(file);
    }
}
