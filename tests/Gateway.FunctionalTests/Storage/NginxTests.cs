using System.Security.Cryptography;
using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>A real storage server, with real clients and readers.</summary>
public class NginxTests
{
    [Fact]
    public async Task Objects_of_nginx_reach_the_disk_through_curl_and_every_tar()
    {
        await using var nginx = await NginxServer.StartAsync();
        var hashes = new Dictionary<string, string>();
        for (var i = 0; i < 50; i++)
        {
            var bytes = new ObjectContent(i * 7919 % 300_000, i, compressible: i % 2 == 0).ToArray();
            await File.WriteAllBytesAsync(Path.Combine(nginx.Root, $"o {i}.bin"), bytes);
            hashes[$"s/o {i}.bin"] = Convert.ToHexStringLower(SHA256.HashData(bytes));
        }

        await using var gateway = await GatewayUnderTest.StartAsync(nginx.Address);
        var url = new Uri(gateway.Address, "/bundle?ids=" + string.Join(',', hashes.Keys.Select(Uri.EscapeDataString))).AbsoluteUri;

        foreach (var tar in new[] { "tar xzf -", "bsdtar xzf -", "busybox tar xzf -", "python3 -c 'import tarfile,sys; tarfile.open(fileobj=sys.stdin.buffer,mode=\"r|gz\").extractall()'" })
        {
            var folder = Directory.CreateTempSubdirectory("gateway-unpacked-");
            try
            {
                Tool.Require(tar.Split(' ')[0]);
                Tool.Require("curl");
                var unpacked = await Tool.RunAsync("bash", ["-c", $"set -o pipefail; curl -sf '{url}' | {tar}"], folder: folder.FullName);
                Assert.True(unpacked.ExitCode == 0, $"{tar}: {unpacked.Error}");
                Assert.All(hashes, pair => Assert.Equal(pair.Value, Download.Hash(File.ReadAllBytes(Path.Combine(folder.FullName, pair.Key)))));
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    [Fact]
    public async Task A_pause_longer_than_nginx_s_timeout_ends_in_a_whole_archive()
    {
        await using var nginx = await NginxServer.StartAsync("send_timeout 1s;");
        var content = new ObjectContent(48 << 20, 3, compressible: false);
        await File.WriteAllBytesAsync(Path.Combine(nginx.Root, "a"), content.ToArray());
        await using var gateway = await GatewayUnderTest.StartAsync(nginx.Address);
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");
        using var pause = new PeriodicTimer(TimeSpan.FromSeconds(4));

        await pause.WaitForNextTickAsync();
        var entries = (await client.TakeRestAsync()).RequireWhole();

        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
        Assert.True((await gateway.RequireOneOutcomeAsync()).Resumes > 0);
    }
}
