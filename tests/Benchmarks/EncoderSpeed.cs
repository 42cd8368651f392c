using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Gateway.Archiving;
using Gateway.Archiving.Blocks;
using Testing;

namespace Benchmarks;

/// <summary>The block encoders alone, on one core, in turns: MB/s of input and output ratio; and igzip beside them where it is.</summary>
internal static class EncoderSpeed
{
    private static readonly (string Name, BlockEncoder Encoder)[] Encoders =
    [
        ("deflate-1 (ours)", BlockEncoder.For(new ArchiveRecipe())),
        .. Isal(),
        ("zlib-1", new ZlibBlockEncoder(CompressionLevel.Fastest)),
        ("zlib-6", BlockEncoder.For(new ArchiveRecipe(Compression: Compression.Small))),
        ("store", BlockEncoder.For(new ArchiveRecipe(Compression: Compression.Store))),
    ];

    public static async Task<string> RunAsync(int rounds)
    {
        var report = new StringBuilder("| bytes | encoder | MB/s | ratio |\n|---|---|---|---|\n");
        foreach (var (corpus, bytes) in Corpus.All())
        {
            var speeds = Encoders.ToDictionary(pair => pair.Name, _ => (Speeds: new List<double>(), Ratio: 0.0));
            for (var round = -1; round < rounds; round++)
            {
                foreach (var (name, encoder) in Encoders)
                {
                    var started = Stopwatch.GetTimestamp();
                    var length = Encode(encoder, bytes);
                    var speed = bytes.Length / 1e6 / Stopwatch.GetElapsedTime(started).TotalSeconds;
                    if (round >= 0)
                    {
                        speeds[name].Speeds.Add(speed);
                        speeds[name] = (speeds[name].Speeds, (double)length / bytes.Length);
                    }
                }
            }

            foreach (var (name, (all, ratio)) in speeds)
            {
                report.AppendLine(CultureInfo.InvariantCulture, $"| {corpus} | {name} | {all.Order().ElementAt(all.Count / 2):0} | {ratio:0.0000} |");
            }

            report.Append(await IgzipAsync(corpus, bytes));
        }

        return report.ToString();
    }

    private static (string, BlockEncoder)[] Isal()
    {
        try
        {
            return [("isal-1", BlockEncoder.For(new ArchiveRecipe(FastEncoder: FastEncoder.Isal)))];
        }
        catch (NotSupportedException)
        {
            return [];
        }
    }

    private static long Encode(BlockEncoder encoder, byte[] bytes)
    {
        var output = new byte[BlockEncoder.MaxEncodedLength(ArchiveRecipe.BlockSize)];
        var total = 0L;
        for (var at = 0; at < bytes.Length; at += ArchiveRecipe.BlockSize)
        {
            total += encoder.Encode(bytes.AsSpan(at, Math.Min(ArchiveRecipe.BlockSize, bytes.Length - at)), output);
        }

        return total;
    }

    /// <summary>The whole program, its start and its pipes included.</summary>
    private static async Task<string> IgzipAsync(string corpus, byte[] bytes)
    {
        if (!Tool.Exists("igzip"))
        {
            return "";
        }

        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, bytes);
        var started = Stopwatch.GetTimestamp();
        var result = await Tool.RunAsync("bash", ["-c", $"igzip -1 -c {file} | wc -c"]);
        var speed = bytes.Length / 1e6 / Stopwatch.GetElapsedTime(started).TotalSeconds;
        File.Delete(file);
        return string.Create(CultureInfo.InvariantCulture, $"| {corpus} | igzip -1, process | {speed:0} | {double.Parse(result.Output, CultureInfo.InvariantCulture) / bytes.Length:0.0000} |\n");
    }
}
