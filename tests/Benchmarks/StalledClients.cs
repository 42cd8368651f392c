using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Testing;

namespace Benchmarks;

/// <summary>Clients that ask for a bundle and take nothing: what each holds, and what is left for one that reads.</summary>
internal static class StalledClients
{
    private const int Count = 1000;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    public static async Task<string> RunAsync()
    {
        // Storage's own kernel would hold 2 MB for each, which is another machine's memory: here the host's bound for all of TCP is
        // reached with them, and every connection slows down.
        await using var nginx = await NginxServer.StartAsync(listen: "sndbuf=128k backlog=4096");
        var text = Workload.Text(nginx.Root);
        var report = new StringBuilder("| stalled clients | memory over idle, MB | a client that reads, MB/s alone | beside them |\n|---|---|---|---|\n");
        foreach (var (format, compression) in new[] { ("tar", "fast"), ("tar.gz", "store"), ("tar.gz", "fast") })
        {
            var configuration = GatewayUnderTest.Configuration(("s", [nginx.Address]));
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxActive", 2 * Count);
            await using var gateway = await GatewayProcess.StartAsync(configuration);
            await RateAsync();
            var alone = Measurement.Median([await RateAsync(), await RateAsync(), await RateAsync()]);
            var idle = Measurement.Memory(gateway.Process, "VmRSS");
            var clients = new List<TcpClient>();
            try
            {
                for (var i = 0; i < Count; i++)
                {
                    var client = new TcpClient();
                    clients.Add(client);
                    await client.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                        $"GET /bundle?missing=abort&format={format}&compression={compression}&ids=s/{text.Keys[0]} HTTP/1.1\r\nHost: x\r\n\r\n"));
                }

                await Task.Delay(Settle);
                var stalled = Measurement.Memory(gateway.Process, "VmRSS");
                var beside = Measurement.Median([await RateAsync(), await RateAsync(), await RateAsync()]);
                report.AppendLine(
                    CultureInfo.InvariantCulture, $"| {Count} of {format}, {compression} | {(stalled - idle) / 1e6:0} | {alone:0} | {beside:0} ({beside / alone:0.00} ×) |");
            }
            finally
            {
                clients.ForEach(client => client.Dispose());
            }

            async Task<double> RateAsync()
            {
                var run = await Measurement.TakeAsync(gateway.Process, () => Client.BundleAsync(text, gateway.Address, compression: compression, format: format));
                return text.Bytes / 1e6 / run.Seconds;
            }
        }

        return report.ToString();
    }
}
