using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Benchmarks.Peers;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.S3;
using Testing;

namespace Benchmarks;

/// <summary>What a signature costs; 10,000 small objects by their ids and by their folder; one large object from a store that is 20 ms away.</summary>
internal static class ObjectStores
{
    private const int Signatures = 20_000;
    private const int Count = 10_000;
    private const int Size = 2048;

    public static async Task<string> RunAsync(int rounds)
    {
        var report = new StringBuilder();
        await SignAsync(report);
        await ReadFolderAsync(report, rounds);
        await ReadHugeAsync(report);
        return report.ToString();
    }

    private static async Task SignAsync(StringBuilder report)
    {
        var signer = new S3Signer(new StoreOptions { Kind = StoreKind.S3, Bucket = "b", Region = "eu-central-1", AccessKey = "AK", SecretKey = "SK" }, TimeProvider.System);
        var (started, allocated) = (0L, 0L);
        for (var i = -Signatures; i < Signatures; i++)
        {
            if (i == 0)
            {
                (started, allocated) = (TimeProvider.System.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
            }

            using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1/b/2026/some%20object.jpg");
            await signer.SignAsync(request, CancellationToken.None);
        }

        var microseconds = TimeProvider.System.GetElapsedTime(started).TotalMicroseconds / Signatures;
        report.AppendLine("| one signature | |\n|---|---|");
        report.AppendLine(CultureInfo.InvariantCulture, $"| time | {microseconds:0.0} µs |\n| allocated | {(GC.GetAllocatedBytesForCurrentThread() - allocated) / Signatures} bytes |\n");
    }

    private static async Task ReadFolderAsync(StringBuilder report, int rounds)
    {
        await using var store = new ScriptedS3();
        for (var i = 0; i < Count; i++)
        {
            store.Put($"x/{i:d5}", Size, i);
        }

        await using var gateway = await GatewayProcess.StartAsync(Configure(store.Address, store.Bucket, ScriptedS3.Region, ScriptedS3.Keys.AccessKey, ScriptedS3.Keys.SecretKey));
        report.AppendLine(CultureInfo.InvariantCulture, $"| {Count} objects of {Size} bytes | LIST | HEAD | GET | seconds | gateway CPU s | peak MB |\n|---|---|---|---|---|---|---|");
        var ids = JsonSerializer.Serialize(new { entries = Enumerable.Range(0, Count).Select(i => new { id = $"s/x/{i:d5}" }) });
        foreach (var (name, manifest) in new[] { ("by ids", ids), ("by folder", JsonSerializer.Serialize(new { entries = new[] { new { id = "s/x/" } } })) })
        {
            var runs = new List<(Measurement Measurement, int Lists, int Heads, int Gets)>();
            for (var round = -1; round < rounds; round++)
            {
                var before = (store.Listings, store.Heads, store.Gets);
                var measurement = await Measurement.TakeAsync(gateway.Process, () => PostAsync(gateway.Client, manifest));
                if (round >= 0)
                {
                    runs.Add((measurement, store.Listings - before.Listings, store.Heads - before.Heads, store.Gets - before.Gets));
                }
            }

            var last = runs[^1];
            report.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {name} | {last.Lists} | {last.Heads} | {last.Gets} | {Measurement.Median(runs.Select(run => run.Measurement.Seconds)):0.00} | {Measurement.Median(runs.Select(run => run.Measurement.CpuSeconds)):0.00} | {Measurement.Median(runs.Select(run => (double)run.Measurement.PeakBytes)) / 1e6:0} |");
        }

        report.AppendLine();
    }

    private static async Task ReadHugeAsync(StringBuilder report)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-benchmark-");
        try
        {
            var bucket = folder.CreateSubdirectory("bucket");
            var size = 5L << 30;
            using (var file = File.Create(Path.Combine(bucket.FullName, "huge")))
            {
                file.SetLength(size);
            }

            await using var slow = await Server.StartSelfAsync("slow-origin", folder.FullName);
            report.AppendLine("| 5 GiB from a store that responds after 20 ms | seconds | MB/s | gateway CPU s | peak MB |\n|---|---|---|---|---|");
            foreach (var ranges in new[] { 1, 8 })
            {
                var configuration = Configure(slow.Address.ToString(), "bucket", "us-east-1", "AK", "SK");
                GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:Metadata:Bundle.ParallelRanges", ranges.ToString(CultureInfo.InvariantCulture));
                await using var gateway = await GatewayProcess.StartAsync(configuration);
                var run = await Measurement.TakeAsync(gateway.Process, () => Client.BundleAsync(new Workload("huge", ["huge"], size), gateway.Address, compression: "store", format: "tar"));
                report.AppendLine(CultureInfo.InvariantCulture, $"| {ranges} at a time | {run.Seconds:0.0} | {size / 1e6 / run.Seconds:0} | {run.CpuSeconds:0.0} | {run.PeakBytes / 1e6:0} |");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static JsonObject Configure(string address, string bucket, string region, string accessKey, string secretKey)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [$"{address}{bucket}/"]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.List", "true");
        configuration["Stores"] = new JsonObject
        {
            ["s"] = new JsonObject { ["Kind"] = "s3", ["Bucket"] = bucket, ["Region"] = region, ["AccessKey"] = accessKey, ["SecretKey"] = secretKey },
        };
        return configuration;
    }

    private static async Task<long> PostAsync(HttpClient client, string manifest)
    {
        using var content = new StringContent(manifest, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("/bundle", UriKind.Relative), content);
        return (await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync()).Length;
    }
}
