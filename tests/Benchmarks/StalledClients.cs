using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Testing;

namespace Benchmarks;

/// <summary>
/// Row 24 of the fault table: a client that reads, alone and with 1,000 clients that request a bundle and read nothing. Each round measures
/// both, so that other load on the machine affects both.
/// </summary>
internal static class StalledClients
{
    private const int Count = 1000;
    private const int Downloads = 3;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Release = TimeSpan.FromSeconds(8);

    public static async Task<string> RunAsync(int rounds)
    {
        // Storage shares this kernel. Without a limit its send queues take 3–4 MB for each connection, which alone reaches the limit for
        // all of TCP (net.ipv4.tcp_mem).
        await using var nginx = await NginxServer.StartAsync(listen: "sndbuf=256k backlog=4096");
        var text = Workload.Text(nginx.Root);
        var report = new StringBuilder(string.Create(
            CultureInfo.InvariantCulture, $"Medians of {rounds} rounds of {Downloads} downloads of {text.Bytes / 1e6:0} MB each, alone and beside {Count:N0} stalled clients.\n\n"));
        report.AppendLine("| archive | alone, s | beside them, s | rate beside them ÷ alone | after their release, s | gateway's memory for them, MB | TCP's memory of the machine, MB | after their release |\n|---|---|---|---|---|---|---|---|");
        foreach (var (format, compression) in new[] { ("tar", "fast"), ("tar.gz", "store"), ("tar.gz", "fast") })
        {
            var configuration = GatewayUnderTest.Configuration(("s", [nginx.Address]));
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxActive", 2 * Count);
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", 2 * Count);
            await using var gateway = await GatewayProcess.StartAsync(configuration);
            await TimeAsync();
            var idle = Measurement.Memory(gateway.Process, "VmRSS");
            List<(double Alone, double Beside)> times = [];
            List<double> memory = [], held = [];
            var (released, later) = (0.0, 0.0);
            for (var round = 1; round <= rounds; round++)
            {
                var alone = await TimeAsync();
                var clients = await StallAsync(gateway, $"/bundle?missing=abort&format={format}&compression={compression}&ids=s/{text.Keys[0]}");
                memory.Add((Measurement.Memory(gateway.Process, "VmRSS") - idle) / 1e6);
                held.Add(Measurement.TcpMemory() / 1e6);
                times.Add((alone, await TimeAsync()));
                if (round == rounds)
                {
                    await Pace.WaitAsync(Release);
                    (released, later) = (Measurement.TcpMemory() / 1e6, await TimeAsync());
                }

                clients.ForEach(client => client.Dispose());
                await Eventually.TrueAsync(() => Measurement.TcpMemory() / 1e6 < held[^1] / 4, "their connections are closed");
            }

            report.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {format}, {compression} | {Measurement.Median(times.Select(time => time.Alone)):0.000} | {Measurement.Median(times.Select(time => time.Beside)):0.000} | {Measurement.Median(times.Select(time => time.Alone / time.Beside)):0.00} | {later:0.000} | {Measurement.Median(memory):0} | {Measurement.Median(held):0} | {released:0} |");

            async Task<double> TimeAsync()
            {
                var seconds = new List<double>();
                for (var i = 0; i < Downloads; i++)
                {
                    seconds.Add((await Measurement.TakeAsync(gateway.Process, () => Client.BundleAsync(text, gateway.Address, compression: compression, format: format))).Seconds);
                }

                return Measurement.Median(seconds);
            }
        }

        return report.ToString();
    }

    private static async Task<List<TcpClient>> StallAsync(GatewayProcess gateway, string target)
    {
        var clients = new List<TcpClient>();
        for (var i = 0; i < Count; i++)
        {
            var client = new TcpClient();
            clients.Add(client);
            await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        }

        await Pace.WaitAsync(Settle);
        return clients;
    }
}
