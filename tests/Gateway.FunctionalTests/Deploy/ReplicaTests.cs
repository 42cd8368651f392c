using System.Diagnostics;
using System.Globalization;
using Testing;

namespace Gateway.FunctionalTests.Deploy;

/// <summary>Two replicas behind HAProxy as <c>deploy/haproxy.cfg</c> has it, and a real client.</summary>
public class ReplicaTests
{
    private const int Attempts = 5;
    private const string Bundle = "/bundle?ids=s/text,s/random,s/more";

    [Fact]
    public async Task A_download_whose_replica_is_killed_goes_on_at_another_to_the_exact_bytes()
    {
        Tool.Require("haproxy");
        Tool.Require("curl");
        await using var first = Upstream();
        await using var second = Upstream();
        await using var one = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [first.Address])));
        await using var two = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [second.Address])));
        var (proxy, address) = await StartProxyAsync(one.Address, two.Address);
        var file = Path.GetTempFileName();
        try
        {
            var download = Tool.RunAsync("curl", ["-sS", "--limit-rate", "20M", "-o", file, address + Bundle]);
            await Eventually.TrueAsync(() => new FileInfo(file).Length > 3_000_000, "the download is on its way");
            var (serving, other) = first.BodyBytes > second.BodyBytes ? (one, second) : (two, first);
            serving.Process.Kill();
            Assert.NotEqual(0, (await download).ExitCode);
            var had = new FileInfo(file).Length;
            Assert.Equal(0, other.BodyBytes);

            var resumed = await Tool.RunAsync("curl", ["-sS", "-C", "-", "-o", file, address + Bundle]);

            Assert.True(resumed.ExitCode == 0, resumed.Error);
            var whole = await Download.GetAsync(serving == one ? two.Client : one.Client, Bundle);
            Assert.InRange(had, 3_000_000, whole.Bytes.Length - 1);
            Assert.Equal(Download.Hash(whole.Bytes), Download.Hash(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)));
        }
        finally
        {
            proxy.Kill();
            await proxy.WaitForExitAsync(TestContext.Current.CancellationToken);
            proxy.Dispose();
            File.Delete(file);
        }
    }

    private static ScriptedUpstream Upstream()
    {
        var upstream = new ScriptedUpstream();
        upstream.Put("/text", 20_000_000, seed: 1);
        upstream.Put("/random", 20_000_000, seed: 2, compressible: false);
        upstream.Put("/more", 5_000_000, seed: 3);
        return upstream;
    }

    private static async Task<(Process Proxy, string Address)> StartProxyAsync(Uri one, Uri two)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(DeployTests.Root, "deploy/haproxy.cfg"), TestContext.Current.CancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            var port = Tool.FreePort();
            var configuration = Path.GetTempFileName();
            await File.WriteAllTextAsync(
                configuration,
                text.Replace(":8080\n    default_backend", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}\n    default_backend"), StringComparison.Ordinal)
                    .Replace("gateway-1:8080", one.Authority, StringComparison.Ordinal)
                    .Replace("gateway-2:8080", two.Authority, StringComparison.Ordinal),
                TestContext.Current.CancellationToken);
            var proxy = Process.Start(new ProcessStartInfo(Tool.Require("haproxy"), ["-db", "-q", "-f", configuration]))!;
            var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
            using var client = new HttpClient();
            while (!proxy.HasExited)
            {
                try
                {
                    if ((await client.GetAsync(address + "/health/ready", TestContext.Current.CancellationToken)).IsSuccessStatusCode)
                    {
                        File.Delete(configuration);
                        return (proxy, address);
                    }
                }
                catch (HttpRequestException)
                {
                    await Task.Yield(); // not listening yet
                }
            }

            Assert.True(attempt < Attempts, "haproxy does not start");
        }
    }
}
