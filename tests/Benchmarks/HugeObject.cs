using System.Globalization;
using System.Text;
using Testing;

namespace Benchmarks;

/// <summary>One object of 64 MiB and one of 5 GiB: the memory of a process that has just started must be the same for both.</summary>
internal static class HugeObject
{
    public static async Task<string> RunAsync()
    {
        await using var nginx = await NginxServer.StartAsync();
        var report = new StringBuilder("| one object of random bytes | size | MB/s | CPU s/GB | peak MB |\n|---|---|---|---|---|\n");
        foreach (var size in new[] { 64L << 20, 5L << 30 })
        {
            var object1 = Workload.Huge(nginx.Root, size);
            foreach (var (format, compression) in new[] { ("tar", "store"), ("tar.gz", "store"), ("tar.gz", "fast") })
            {
                await using var gateway = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [nginx.Address])));
                var run = await Measurement.TakeAsync(
                    gateway.Process, () => Client.BundleAsync(object1, gateway.Address, compression: compression, format: format));
                report.AppendLine(
                    CultureInfo.InvariantCulture,
                    $"| {format}, {compression} | {size >> 20} MiB | {size / 1e6 / run.Seconds:0} | {run.CpuSeconds / size * 1e9:0.00} | {run.PeakBytes / 1e6:0} |");
            }
        }

        return report.ToString();
    }
}
