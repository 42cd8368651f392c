using System.Globalization;
using System.Text.Json.Nodes;
using Testing;

namespace Benchmarks;

/// <summary>The same bundle with one worker and with two, from files, so that storage takes little of the cores.</summary>
internal static class SecondCore
{
    public static async Task<string> RunAsync(int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-cores-");
        var text = Workload.Log(folder.FullName);
        await using var one = await GatewayProcess.StartAsync(Configuration(folder.FullName, 1));
        await using var two = await GatewayProcess.StartAsync(Configuration(folder.FullName, 2));
        var seconds = new Dictionary<GatewayProcess, List<double>> { [one] = [], [two] = [] };
        for (var round = -1; round < rounds; round++)
        {
            foreach (var gateway in new[] { one, two })
            {
                var run = await Measurement.TakeAsync(gateway.Process, () => Client.BundleAsync(text, gateway.Address));
                if (round >= 0)
                {
                    seconds[gateway].Add(run.Seconds);
                }
            }
        }

        folder.Delete(recursive: true);
        var (alone, both) = (Measurement.Median(seconds[one]), Measurement.Median(seconds[two]));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| workers | MB/s of a log |\n|---|---|\n| 1 | {text.Bytes / 1e6 / alone:0} |\n| 2 | {text.Bytes / 1e6 / both:0} ({alone / both:0.00} ×) |\n");
    }

    private static JsonObject Configuration(string folder, int workers)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [$"file:{folder}/"]));
        GatewayUnderTest.Set(configuration, "Bundle:Compression:Workers", workers);
        return configuration;
    }
}
