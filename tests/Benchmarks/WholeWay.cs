using System.Diagnostics;
using System.Globalization;
using System.Text;
using Benchmarks.Peers;
using Testing;

namespace Benchmarks;

/// <summary>
/// nginx → server process → curl, all on this machine: bundles compared with plain proxying, with obvious implementations, and with
/// command-line programs. The ways alternate in every round, so that a noisy neighbor affects them all.
/// </summary>
internal static class WholeWay
{
    private sealed record Way(string Name, Process? Server, Func<Workload, Task<long>> GetAsync);

    public static async Task<string> RunAsync(int rounds)
    {
        await using var nginx = await NginxServer.StartAsync();
        var (text, binaries, random) = (Workload.Text(nginx.Root), Workload.Binaries(nginx.Root), Workload.Random(nginx.Root));
        Workload[] workloads = [text, Workload.Log(nginx.Root), binaries, Workload.Json(nginx.Root), random, Workload.Mixed(text, binaries, random), Workload.Small(nginx.Root)];
        await using var gateway = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [nginx.Address])));
        await using var tarWriter = await Server.StartSelfAsync("tarwriter", nginx.Address);
        await using var archiver = await Server.StartArchiverAsync(nginx.Address);
        await using var isal = await StartIsalAsync(nginx.Address);
        var ways = new List<Way>
        {
            new("curl from storage", null, workload => Client.OneByOneAsync(workload, nginx.Address)),
            new("YARP, one by one", gateway.Process, workload => Client.OneByOneAsync(workload, gateway.Address + "s/")),
            new("gateway, tar", gateway.Process, workload => Client.BundleAsync(workload, gateway.Address, format: "tar")),
            new("gateway, tar.gz, store", gateway.Process, workload => Client.BundleAsync(workload, gateway.Address, compression: "store")),
            new("gateway, tar.gz", gateway.Process, workload => Client.BundleAsync(workload, gateway.Address)),
            new("gateway, tar.gz, abort", gateway.Process, workload => Client.BundleAsync(workload, gateway.Address, "abort")),
            new("TarWriter", tarWriter.Process, workload => Client.PeerAsync(workload, tarWriter.Address, "tar")),
            new("TarWriter + GZipStream", tarWriter.Process, workload => Client.PeerAsync(workload, tarWriter.Address, "tar.gz")),
        };
        if (isal is not null)
        {
            ways.Add(new("gateway, tar.gz, ISA-L", isal.Process, workload => Client.BundleAsync(workload, isal.Address)));
        }

        if (archiver is not null)
        {
            ways.Add(new("Node archiver, level 1", archiver.Process, workload => Client.PeerAsync(workload, archiver.Address, "tar.gz")));
        }

        foreach (var program in new[] { "pigz", "igzip" })
        {
            if (Tool.Exists(program))
            {
                ways.Add(new($"tar \\| {program} -1 (files)", null, workload => Client.PipelineAsync(workload, nginx.Root, program + " -1")));
            }
            else
            {
                Console.WriteLine($"{program} is left out: it is not installed.");
            }
        }

        var results = new Dictionary<(Workload, Way), List<Measurement>>();
        for (var round = -1; round < rounds; round++)
        {
            foreach (var workload in workloads)
            {
                foreach (var way in ways)
                {
                    var measurement = await Measurement.TakeAsync(way.Server, () => way.GetAsync(workload));
                    if (round >= 0)
                    {
                        results.TryAdd((workload, way), []);
                        results[(workload, way)].Add(measurement);
                    }
                }
            }
        }

        return Report(rounds, results);
    }

    private static async Task<GatewayProcess?> StartIsalAsync(string origin)
    {
        if (!System.Runtime.InteropServices.NativeLibrary.TryLoad("libisal.so.2", out _))
        {
            Console.WriteLine("The gateway with ISA-L is left out: libisal.so.2 is not installed.");
            return null;
        }

        var configuration = GatewayUnderTest.Configuration(("s", [origin]));
        GatewayUnderTest.Set(configuration, "Bundle:Compression:Encoder", "isal");
        return await GatewayProcess.StartAsync(configuration);
    }

    private static string Report(int rounds, Dictionary<(Workload Workload, Way Way), List<Measurement>> results)
    {
        var report = new StringBuilder();
        report.AppendLine(CultureInfo.InvariantCulture, $"Medians of {rounds} rounds, {Environment.ProcessorCount} cores shared by storage, server and client.");
        report.AppendLine();
        report.AppendLine("| objects | way | MB/s of input | × YARP | CPU s/GB | peak MB | output ratio | seconds |");
        report.AppendLine("|---|---|---|---|---|---|---|---|");
        foreach (var ((workload, way), runs) in results)
        {
            var seconds = Measurement.Median(runs.Select(run => run.Seconds));
            var proxied = results.First(result => result.Key.Workload == workload && result.Key.Way.Name.StartsWith("YARP", StringComparison.Ordinal)).Value;
            var cpu = Measurement.Median(runs.Select(run => run.CpuSeconds)) / workload.Bytes * 1e9;
            report.AppendLine(CultureInfo.InvariantCulture, $"| {workload.Name} | {way.Name} | {workload.Bytes / 1e6 / seconds:0} | {Measurement.Median(proxied.Select(run => run.Seconds)) / seconds:0.00} | {(way.Server is null ? "" : cpu.ToString("0.00", CultureInfo.InvariantCulture))} | {(way.Server is null ? "" : (runs.Max(run => run.PeakBytes) / 1e6).ToString("0", CultureInfo.InvariantCulture))} | {Measurement.Median(runs.Select(run => (double)run.ReceivedBytes)) / workload.Bytes:0.000} | {seconds:0.00} |");
        }

        return report.ToString();
    }
}
