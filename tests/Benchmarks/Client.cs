using System.Globalization;
using System.Text;
using System.Text.Json;
using Testing;

namespace Benchmarks;

/// <summary>curl, the client of all measurements.</summary>
internal static class Client
{
    /// <summary>Objects sequentially over one connection.</summary>
    public static Task<long> OneByOneAsync(Workload workload, string address) =>
        CurlAsync(string.Concat(workload.Keys.Select(key => $"url = \"{address}{key}\"\noutput = /dev/null\n")));

    /// <summary>A bundle of the gateway's source <c>s</c>.</summary>
    public static Task<long> BundleAsync(Workload workload, Uri gateway, string missing = "fail", string compression = "fast", string format = "tar.gz") => PostAsync(
        new Uri(gateway, "bundle"),
        "application/json",
        JsonSerializer.Serialize(new { missing, compression, format, entries = workload.Keys.Select(key => new { id = "s/" + key }) }));

    /// <summary>An archive of a peer, which accepts one key per line.</summary>
    public static Task<long> PeerAsync(Workload workload, Uri peer, string path) =>
        PostAsync(new Uri(peer, path), "text/plain", string.Join('\n', workload.Keys));

    /// <summary>A pipeline over local files.</summary>
    public static async Task<long> PipelineAsync(Workload workload, string root, string command)
    {
        var result = await Tool.RunAsync("bash", ["-c", $"tar -C {root} -cf - {string.Join(' ', workload.Keys)} | {command} | wc -c"]);
        return long.Parse(result.Output, CultureInfo.InvariantCulture);
    }

    private static async Task<long> PostAsync(Uri url, string type, string body)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, body);
        try
        {
            return await CurlAsync($"url = \"{url}\"\noutput = /dev/null\nheader = \"Content-Type: {type}\"\nheader = \"Expect:\"\ndata-binary = \"@{file}\"\n");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<long> CurlAsync(string configuration)
    {
        var result = await Tool.RunAsync(
            "curl", ["--silent", "--show-error", "--fail", "--write-out", "%{size_download}\n", "--config", "-"], Encoding.UTF8.GetBytes(configuration));
        return result.ExitCode == 0
            ? result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(line => long.Parse(line, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException(result.Error);
    }
}
