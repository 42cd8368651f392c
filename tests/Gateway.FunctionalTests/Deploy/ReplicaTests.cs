using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Deploy;

/// <summary>Two replicas behind HAProxy, configured by <c>deploy/haproxy.cfg</c>, and a real client.</summary>
public class ReplicaTests
{
    private const int Attempts = 5;
    private const long Interval = 4 << 20;
    private const long Block = 128 << 10;

    // Bytes in buffers between storage's socket and the gateway's counter, including the kernel's.
    private const long OnItsWay = 2 << 20;

    private static readonly long Size = long.Parse(Environment.GetEnvironmentVariable("GATEWAY_TEST_REPLICA_BYTES") ?? "100000000", CultureInfo.InvariantCulture);

    // Where the replica is killed: after the compressible part, and far from the end, because sockets in between hold several megabytes.
    private static readonly long Begun = Size / 5;

    [Theory]
    [InlineData("", false)]
    [InlineData("", true)]
    [InlineData("&format=zip", true)]
    [InlineData("&format=tar.zst", true)]
    public async Task A_download_whose_replica_is_killed_continues_on_another_with_the_exact_bytes(string recipe, bool shares)
    {
        Matrix.RequireFull();
        Tool.Require("haproxy");
        Tool.Require("curl");
        var bundle = "/bundle?ids=s/text,s/random" + recipe;
        await using var redis = shares ? await RedisServer.StartAsync() : null;
        await using var first = Upstream();
        await using var second = Upstream();
        await using var one = await GatewayProcess.StartAsync(Configuration(first, redis));
        await using var two = await GatewayProcess.StartAsync(Configuration(second, redis));
        var (proxy, address) = await StartProxyAsync(one.Address, two.Address);
        var file = Path.GetTempFileName();
        try
        {
            var download = StartDownload();
            for (var attempt = 1; ; attempt++)
            {
                await Eventually.TrueAsync(
                    () => new FileInfo(file).Length > Begun || download.IsCompleted,
                    "the download is running",
                    TimeSpan.FromMinutes(2),
                    () => string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(file).Length} of {Size} bytes"));
                if (!download.IsCompleted)
                {
                    break;
                }

                // The proxy had no replica in rotation: on a busy machine its health checks get late responses.
                Assert.True(attempt < Attempts, (await download).Error);
                download = StartDownload();
            }

            var (serving, other, upstream) = first.BodyBytes > second.BodyBytes ? (one, two, second) : (two, one, first);

            // What a replica recorded when it dies is published a moment later, so the client waits until it has been. The remainder
            // is more than all sockets in between hold.
            var client = (await File.ReadAllTextAsync(file + ".pid", TestContext.Current.CancellationToken)).Trim();
            await Tool.RunAsync("kill", ["-STOP", client]);
            await Eventually.StandsStillAsync(() => first.BodyBytes + second.BodyBytes, TimeSpan.FromMilliseconds(500));
            serving.Process.Kill();
            await Tool.RunAsync("kill", ["-CONT", client]);
            Assert.NotEqual(0, (await download).ExitCode);
            var had = new FileInfo(file).Length;
            Assert.Equal(0, upstream.BodyBytes);

            // The other replica compares HEAD with GET once per source. What the sockets of that GET hold is not part of the resume.
            (await other.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, bundle), TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
            var compared = await Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromMilliseconds(500));

            var resumed = await Tool.RunAsync("curl", ["-sS", "-C", "-", "-o", file, address + bundle]);

            Assert.True(resumed.ExitCode == 0, resumed.Error);
            var read = upstream.BodyBytes - compared;
            var whole = await Download.HashAsync(other.Client, bundle);
            await using var made = File.OpenRead(file);
            Assert.Equal(whole, Convert.ToHexStringLower(await SHA256.HashDataAsync(made, TestContext.Current.CancellationToken)));
            Assert.InRange(had, Begun, made.Length - 1);

            // The archive's second half is incompressible: the part that the client lacks is exactly what is read. The compressible first half
            // counts as if all of it had to be read.
            var random = Size / 2;
            var lacks = made.Length - had >= random ? Size : made.Length - had;
            var atMost = (shares ? lacks + Interval + (2 * Block) : Size) + OnItsWay;
            TestContext.Current.TestOutputHelper?.WriteLine($"archive {made.Length}, had {had}, read {read} of {Size}");
            Assert.InRange(read, 1, atMost);
        }
        finally
        {
            proxy.Kill();
            await proxy.WaitForExitAsync(TestContext.Current.CancellationToken);
            proxy.Dispose();
            File.Delete(file);
            File.Delete(file + ".pid");
        }

        Task<(int ExitCode, string Output, string Error)> StartDownload() => Tool.RunAsync(
            "bash", ["-c", string.Create(CultureInfo.InvariantCulture, $"curl -fsS --limit-rate {Size / 10} -o '{file}' '{address}{bundle}' & echo $! > '{file}.pid'; wait $!")]);
    }

    private static JsonObject Configuration(ScriptedUpstream upstream, RedisServer? redis)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        if (redis is not null)
        {
            configuration["ConnectionStrings"] = new JsonObject { ["Redis"] = redis.ConnectionString };
            GatewayUnderTest.Set(configuration, "Bundle:Links:Keys", new[] { Convert.ToBase64String(new byte[32]) });
        }

        return configuration;
    }

    private static ScriptedUpstream Upstream()
    {
        var upstream = new ScriptedUpstream();
        upstream.Put("/text", new ObjectContent(Size / 2, 1));
        upstream.Put("/random", new ObjectContent(Size / 2, 2, compressible: false));
        return upstream;
    }

    private static async Task<(Process Proxy, string Address)> StartProxyAsync(Uri one, Uri two)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(DeployTests.Root, "deploy/haproxy.cfg"), TestContext.Current.CancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            var port = ReservedPort.Next();
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
