using System.Diagnostics;
using System.Globalization;

namespace Benchmarks;

/// <summary>One run of one way to get a workload.</summary>
/// <param name="Seconds">Wall time at the client.</param>
/// <param name="CpuSeconds">Processor time of the server's process; without a server, of the child processes.</param>
/// <param name="PeakBytes">Highest resident memory of the server's process during the run.</param>
/// <param name="ReceivedBytes">Body bytes at the client.</param>
internal sealed record Measurement(double Seconds, double CpuSeconds, long PeakBytes, long ReceivedBytes)
{
    public static async Task<Measurement> TakeAsync(Process? server, Func<Task<long>> get)
    {
        if (server is not null)
        {
            await File.WriteAllTextAsync($"/proc/{server.Id}/clear_refs", "5");
        }

        var cpu = CpuOf(server);
        var started = TimeProvider.System.GetTimestamp();
        var received = await get();
        return new Measurement(TimeProvider.System.GetElapsedTime(started).TotalSeconds, CpuOf(server) - cpu, server is null ? 0 : Memory(server, "VmHWM"), received);
    }

    public static double Median(IEnumerable<double> figures)
    {
        var sorted = figures.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    public static long Memory(Process process, string what) => 1024 * long.Parse(
        File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith(what, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    /// <summary>The kernel's memory for all TCP connections of this machine.</summary>
    public static long TcpMemory() => Environment.SystemPageSize * long.Parse(
        File.ReadLines("/proc/net/sockstat").First(line => line.StartsWith("TCP:", StringComparison.Ordinal)).Split(' ')[^1], CultureInfo.InvariantCulture);

    private static double CpuOf(Process? server)
    {
        server?.Refresh();
        return server?.TotalProcessorTime.TotalSeconds ?? 0;
    }
}
