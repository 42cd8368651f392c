using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Archiving;
using Gateway.Archiving.Resuming;
using Testing;

namespace Benchmarks;

/// <summary>The first byte of a resume at 90 % of 5 GiB, with and without checkpoints; and the cost of recording them.</summary>
internal static class Resuming
{
    private const long Size = 5L << 30;
    private const double Part = 0.9;
    private const int CostSize = 512 << 20;

    public static async Task<string> RunAsync(int rounds)
    {
        var report = new StringBuilder("| resume at 90 % of 5 GiB | replica that made it | another, through Redis | another, alone |\n|---|---|---|---|\n");
        await using var nginx = await NginxServer.StartAsync();
        await using var redis = await RedisServer.StartAsync();
        WriteObject(Path.Combine(nginx.Root, "text"));
        foreach (var format in new[] { "tar.gz", "tar.zst", "zip" })
        {
            var url = "/bundle?ids=s/text&format=" + format;
            await using var one = await StartAsync(nginx, redis);
            var (length, etag) = await WholeAsync(one.Client, url);
            var (same, shared) = (new List<double>(), new List<double>());
            for (var round = 0; round < rounds; round++)
            {
                same.Add(await FirstByteAsync(one.Client, url, (long)(length * Part), etag));
                await using var two = await StartAsync(nginx, redis);
                await WarmUpAsync(two.Client);
                shared.Add(await FirstByteAsync(two.Client, url, (long)(length * Part), etag));
            }

            await using var alone = await StartAsync(nginx, null);
            await WarmUpAsync(alone.Client);
            var without = await FirstByteAsync(alone.Client, url, (long)(length * Part), etag);
            report.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {format} ({length / 1e9:0.00} GB), first byte after s | {Measurement.Median(same):0.000} | {Measurement.Median(shared):0.000} | {without:0.0} |");
        }

        report.AppendLine().AppendLine("| noting checkpoints | CPU s/GB without | with | ratio | bytes kept per GB |").AppendLine("|---|---|---|---|---|");
        foreach (var format in new[] { ArchiveFormat.TarGz, ArchiveFormat.TarZst, ArchiveFormat.Zip })
        {
            var (without, with, kept) = (new List<double>(), new List<double>(), 0L);
            for (var round = -1; round < rounds; round++)
            {
                var plain = await MakeAsync(format, null);
                var before = GC.GetTotalMemory(forceFullCollection: true);
                var trail = new CheckpointIndex();
                var noting = await MakeAsync(format, trail);
                kept = GC.GetTotalMemory(forceFullCollection: true) - before;
                GC.KeepAlive(trail);
                if (round >= 0)
                {
                    without.Add(plain);
                    with.Add(noting);
                }
            }

            report.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {format} | {Measurement.Median(without):0.00} | {Measurement.Median(with):0.00} | {Measurement.Median(with.Zip(without, (w, o) => w / o)):0.00} | {Math.Max(kept, 0) * 1e9 / CostSize:0} |");
        }

        return report.ToString();
    }

    private static void WriteObject(string path)
    {
        var content = new ObjectContent(Size, 1);
        var buffer = new byte[1 << 20];
        using var file = File.Create(path);
        for (var offset = 0L; offset < Size; offset += buffer.Length)
        {
            content.Read(offset, buffer);
            file.Write(buffer);
        }
    }

    private static Task<GatewayProcess> StartAsync(NginxServer nginx, RedisServer? redis)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [nginx.Address]));
        if (redis is not null)
        {
            configuration["ConnectionStrings"] = new JsonObject { ["Redis"] = redis.ConnectionString };
            GatewayUnderTest.Set(configuration, "Bundle:Links:Keys", new[] { Convert.ToBase64String(new byte[32]) });
        }

        return GatewayProcess.StartAsync(configuration);
    }

    /// <summary>Excludes the JIT compilation of a new process from the measurement.</summary>
    private static async Task WarmUpAsync(HttpClient client)
    {
        using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/bundle?ids=s/text&format=tar"));
        head.EnsureSuccessStatusCode();
        await FirstByteAsync(client, "/bundle?ids=s/text&format=tar", 1000, head.Headers.ETag!);
    }

    private static async Task<(long Length, EntityTagHeaderValue ETag)> WholeAsync(HttpClient client, string url)
    {
        using var response = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync();
        var buffer = new byte[128 * 1024];
        var length = 0L;
        while (await body.ReadAsync(buffer) is > 0 and var count)
        {
            length += count;
        }

        return (length, response.Headers.ETag!);
    }

    private static async Task<double> FirstByteAsync(HttpClient client, string url, long from, EntityTagHeaderValue etag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(from, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(etag);
        var started = TimeProvider.System.GetTimestamp();
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1]);
        return TimeProvider.System.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Processor seconds per GB of the writer alone.</summary>
    private static async Task<double> MakeAsync(ArchiveFormat format, CheckpointIndex? trail)
    {
        var content = new ObjectContent(CostSize, 1);
        var archive = ArchiveWriter.Create(new ArchiveRecipe(format), PipeWriter.Create(Stream.Null), workers: 1, trail);
        var started = Process.GetCurrentProcess().TotalProcessorTime;
        archive.StartEntry(new ArchiveEntry("text", CostSize, DateTimeOffset.UnixEpoch));
        for (var offset = 0L; offset < CostSize;)
        {
            var memory = archive.GetMemory();
            var length = (int)Math.Min(memory.Length, CostSize - offset);
            content.Read(offset, memory.Span[..length]);
            archive.Advance(length);
            await archive.FlushAsync();
            offset += length;
        }

        archive.EndEntry();
        await archive.FinishAsync();
        archive.Complete();
        return (Process.GetCurrentProcess().TotalProcessorTime - started).TotalSeconds * 1e9 / CostSize;
    }
}
