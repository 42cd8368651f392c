using System.Globalization;
using System.Text;
using Gateway.Archiving;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Encoders;
using Testing;

namespace Benchmarks;

/// <summary>The block encoders alone, on one core, interleaved: MB/s of input and output ratio; also igzip if it is installed.</summary>
internal static class EncoderSpeed
{
    private static readonly (string Name, BlockEncoder Encoder)[] Encoders =
    [
        ("deflate-2 (ours)", EncoderCatalogue.Get(new ArchiveRecipe())),
        ("deflate-2 in a zip", EncoderCatalogue.Get(new ArchiveRecipe(ArchiveFormat.Zip))),
        .. Isal(),
        ("zlib-1", new ZlibBlockEncoder(1)),
        .. Libdeflate(),
        ("zlib-6-9", new ZlibBlockEncoder(6, 9)),
        ("store", EncoderCatalogue.Get(new ArchiveRecipe(Compression: Compression.Store))),
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
                    var started = TimeProvider.System.GetTimestamp();
                    var length = Encode(encoder, bytes);
                    var speed = bytes.Length / 1e6 / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
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

            report.Append(await ProgramAsync("igzip", "-1", corpus, bytes));
            report.Append(await ProgramAsync("gzip", "-6", corpus, bytes));
        }

        return report.ToString();
    }

    private static (string, BlockEncoder)[] Isal()
    {
        try
        {
            return [("isal-1", EncoderCatalogue.Get(new ArchiveRecipe(FastEncoder: FastEncoder.Isal)))];
        }
        catch (NotSupportedException)
        {
            return [];
        }
    }

    private static long Encode(BlockEncoder encoder, byte[] bytes)
    {
        var output = new byte[encoder.MaxLength(encoder.BlockSize)];
        var total = 0L;
        for (var at = 0; at < bytes.Length; at += encoder.BlockSize)
        {
            total += encoder.Encode(bytes.AsSpan(at, Math.Min(encoder.BlockSize, bytes.Length - at)), output);
        }

        return total;
    }

    private static (string, BlockEncoder)[] Libdeflate() =>
        LibdeflateBlockEncoder.TryLoad(out var encoder) ? [(encoder.Name, encoder)] : [];

    /// <summary>The whole program, including its start and its pipes.</summary>
    private static async Task<string> ProgramAsync(string program, string level, string corpus, byte[] bytes)
    {
        if (!Tool.Exists(program))
        {
            return "";
        }

        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, bytes);
        var started = TimeProvider.System.GetTimestamp();
        var result = await Tool.RunAsync("bash", ["-c", $"{program} {level} -c {file} | wc -c"]);
        var speed = bytes.Length / 1e6 / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        File.Delete(file);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {corpus} | {program} {level}, process | {speed:0} | {double.Parse(result.Output, CultureInfo.InvariantCulture) / bytes.Length:0.0000} |\n");
    }
}
