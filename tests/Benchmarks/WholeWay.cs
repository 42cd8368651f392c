using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Testing;

namespace Benchmarks;

/// <summary>
/// nginx → gateway process → client, all on this machine: bundles beside plain proxying of the same objects one by one. The ways
/// take turns in every round, so that a noisy neighbour meets them all.
/// </summary>
internal sealed class WholeWay : IAsyncDisposable
{
    private static readonly CompositeFormat Row = CompositeFormat.Parse("| {0,-12} | {1,-22} | {2,9:0} | {3,8:0.00} | {4,9:0} | {5,7:0.000} | {6,7:0.00} |");

    private readonly NginxServer _nginx;
    private readonly GatewayProcess _gateway;
    private readonly Workload[] _workloads;

    private WholeWay(NginxServer nginx, GatewayProcess gateway, Workload[] workloads)
    {
        _nginx = nginx;
        _gateway = gateway;
        _workloads = workloads;
    }

    public static async Task<WholeWay> StartAsync()
    {
        var nginx = await NginxServer.StartAsync();
        Workload[] workloads = [Workload.Text(nginx.Root), Workload.Random(nginx.Root), Workload.Small(nginx.Root)];
        var gateway = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [nginx.Address])));
        return new WholeWay(nginx, gateway, workloads);
    }

    public async Task<string> RunAsync(int rounds)
    {
        (string Name, Func<Workload, Task<long>> Get)[] ways =
        [
            ("YARP, one by one", ProxyOneByOneAsync),
            ("tar.gz, missing=fail", workload => BundleAsync(workload, "fail", "fast")),
            ("tar.gz, missing=abort", workload => BundleAsync(workload, "abort", "fast")),
            ("tar.gz, store", workload => BundleAsync(workload, "fail", "store")),
        ];
        var results = new Dictionary<(Workload, string), List<Measurement>>();
        for (var round = -1; round < rounds; round++)
        {
            foreach (var workload in _workloads)
            {
                foreach (var (name, get) in ways)
                {
                    var measurement = await MeasureAsync(workload, get);
                    if (round >= 0)
                    {
                        results.TryAdd((workload, name), []);
                        results[(workload, name)].Add(measurement);
                    }
                }
            }
        }

        return Report(rounds, results);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _nginx.DisposeAsync();
    }

    private static string Report(int rounds, Dictionary<(Workload Workload, string Way), List<Measurement>> results)
    {
        var report = new StringBuilder();
        report.AppendLine(CultureInfo.InvariantCulture, $"Medians of {rounds} rounds, {Environment.ProcessorCount} cores shared by storage, gateway and client.");
        report.AppendLine();
        report.AppendLine("| objects      | way                    | MB/s of input | CPU s/GB | peak MB | ratio | seconds |");
        report.AppendLine("|---|---|---|---|---|---|---|");
        foreach (var ((workload, way), runs) in results)
        {
            report.AppendLine(string.Format(
                CultureInfo.InvariantCulture,
                Row,
                workload.Name,
                way,
                workload.Bytes / 1e6 / Median(runs, run => run.Seconds),
                Median(runs, run => run.CpuSeconds) / workload.Bytes * 1e9,
                runs.Max(run => run.PeakBytes) / 1e6,
                Median(runs, run => run.ReceivedBytes) / workload.Bytes,
                Median(runs, run => run.Seconds)));
        }

        return report.ToString();
    }

    private static double Median(List<Measurement> runs, Func<Measurement, double> figure) => runs.Select(figure).Order().ElementAt(runs.Count / 2);

    private async Task<Measurement> MeasureAsync(Workload workload, Func<Workload, Task<long>> get)
    {
        var process = _gateway.Process;
        await File.WriteAllTextAsync($"/proc/{process.Id}/clear_refs", "5");
        process.Refresh();
        var cpu = process.TotalProcessorTime;
        var started = Stopwatch.GetTimestamp();
        var received = await get(workload);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        return new Measurement(seconds, (process.TotalProcessorTime - cpu).TotalSeconds, PeakOf(process.Id), received);
    }

    private static long PeakOf(int process) => 1024 * long.Parse(
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private Task<long> ProxyOneByOneAsync(Workload workload) =>
        CurlAsync(string.Concat(workload.Keys.Select(key => $"url = \"{_gateway.Address}s/{key}\"\noutput = /dev/null\n")));

    private async Task<long> BundleAsync(Workload workload, string missing, string compression)
    {
        var manifest = Path.GetTempFileName();
        await File.WriteAllTextAsync(
            manifest, JsonSerializer.Serialize(new { missing, compression, entries = workload.Keys.Select(key => new { id = "s/" + key }) }));
        try
        {
            return await CurlAsync($"url = \"{_gateway.Address}bundle\"\noutput = /dev/null\nheader = \"Content-Type: application/json\"\ndata-binary = \"@{manifest}\"\n");
        }
        finally
        {
            File.Delete(manifest);
        }
    }

    /// <summary>One curl for everything, so that it keeps its connection.</summary>
    private static async Task<long> CurlAsync(string configuration)
    {
        var result = await Tool.RunAsync(
            "curl", ["--silent", "--show-error", "--fail", "--write-out", "%{size_download}\n", "--config", "-"], Encoding.UTF8.GetBytes(configuration));
        return result.ExitCode == 0
            ? result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(line => long.Parse(line, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException(result.Error);
    }
}
