using System.Globalization;
using System.Text;
using System.Text.Json;
using Benchmarks.Peers;
using Testing;

namespace Benchmarks;

/// <summary>5,000 small objects from storage that responds after 20 ms; and the gateway's delay of the first byte of one object.</summary>
internal static class Latency
{
    private const int Singles = 100;

    public static async Task<string> RunAsync(int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-benchmark-");
        try
        {
            var small = Workload.Small(folder.FullName);
            await using var slow = await Server.StartSelfAsync("slow-origin", folder.FullName);
            await using var gateway = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [slow.Address.ToString()])));
            await using var nginx = await NginxServer.StartAsync();
            var one = Workload.Small(nginx.Root);
            await using var near = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [nginx.Address])));
            var report = new StringBuilder("| what | seconds | first byte, ms |\n|---|---|---|\n");
            foreach (var missing in new[] { "fail", "abort" })
            {
                var runs = new List<(double First, double All)>();
                for (var round = -1; round < rounds; round++)
                {
                    var run = await TimeAsync(gateway.Client, small, missing);
                    if (round >= 0)
                    {
                        runs.Add(run);
                    }
                }

                report.AppendLine(CultureInfo.InvariantCulture, $"| 5,000 objects, 20 ms away, {missing} | {Measurement.Median(runs.Select(run => run.All)):0.00} | {Measurement.Median(runs.Select(run => run.First)) * 1000:0} |");
            }

            var (direct, through) = (new List<double>(), new List<double>());
            for (var i = -10; i < Singles; i++)
            {
                var first = await FirstAsync(near.Client, new Uri(nginx.Address + one.Keys[0]));
                var bundled = await FirstAsync(near.Client, new Uri(near.Address, "/bundle?ids=s/" + one.Keys[0]));
                if (i >= 0)
                {
                    direct.Add(first);
                    through.Add(bundled);
                }
            }

            report.AppendLine(CultureInfo.InvariantCulture, $"| one object from storage itself | | {Measurement.Median(direct) * 1000:0.00} |");
            report.AppendLine(CultureInfo.InvariantCulture, $"| the same in a bundle | | {Measurement.Median(through) * 1000:0.00} |");
            return report.ToString();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<(double First, double All)> TimeAsync(HttpClient client, Workload workload, string missing)
    {
        using var content = new StringContent(
            JsonSerializer.Serialize(new { missing, entries = workload.Keys.Select(key => new { id = "s/" + key }) }), Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = content };
        var started = TimeProvider.System.GetTimestamp();
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1]);
        var first = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        await body.CopyToAsync(Stream.Null);
        return (first, TimeProvider.System.GetElapsedTime(started).TotalSeconds);
    }

    private static async Task<double> FirstAsync(HttpClient client, Uri url)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var response = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1]);
        var first = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        await body.CopyToAsync(Stream.Null);
        return first;
    }
}
