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

    private async Task<long> ProxyOneByOneAsync(Workload workload)
    {
        var received = 0L;
        foreach (var key in workload.Keys)
        {
            received += await TakeAsync(new HttpRequestMessage(HttpMethod.Get, "/s/" + key));
        }

        return received;
    }

    private Task<long> BundleAsync(Workload workload, string missing, string compression) =>
        TakeAsync(new HttpRequestMessage(HttpMethod.Post, "/bundle")
        {
            Content = new StringContent(
                JsonSerializer.Serialize(new { missing, compression, entries = workload.Keys.Select(key => new { id = "s/" + key }) }), null, "application/json"),
        });

    private async Task<long> TakeAsync(HttpRequestMessage request)
    {
        using var response = await _gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[256 * 1024];
        var total = 0L;
        while (await body.ReadAsync(buffer) is > 0 and var count)
        {
            total += count;
        }

        return total;
    }
}
