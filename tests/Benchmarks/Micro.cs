using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Gateway.Archiving;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Encoders;
using Gateway.Archiving.Tar;

namespace Benchmarks;

/// <summary>The smallest parts alone, with BenchmarkDotNet, including their allocations.</summary>
[MemoryDiagnoser(displayGenColumns: false)]
public class Micro
{
    private readonly ArchiveEntry _short = new("data/a.bin", 1000, DateTimeOffset.UnixEpoch);
    private readonly ArchiveEntry _long = new(new string('ä', 300), 9L << 30, DateTimeOffset.UnixEpoch);

    private readonly byte[] _block = Workload.Log(1, ArchiveRecipe.BlockSize);
    private readonly byte[] _random = System.Security.Cryptography.RandomNumberGenerator.GetBytes(ArchiveRecipe.BlockSize);
    private readonly byte[] _output = new byte[StoredDeflate.Instance.EncodedLength(ArchiveRecipe.BlockSize)];
    private readonly BlockEncoder _encoder = EncoderCatalogue.Get(new ArchiveRecipe());
    private readonly System.IO.Hashing.Crc32 _crc = new();

    /// <summary>Runs them and writes the table.</summary>
    public static string Run()
    {
        var summary = BenchmarkRunner.Run<Micro>(
            ManualConfig.Create(DefaultConfig.Instance).AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)).WithOptions(ConfigOptions.DisableLogFile));
        var file = Directory.EnumerateFiles(summary.ResultsDirectoryPath, "*-github.md").First();
        var table = string.Join('\n', File.ReadLines(file).Where(line => line.StartsWith('|'))).Replace("&#39;", "", StringComparison.Ordinal) + "\n";
        Directory.Delete(Path.GetDirectoryName(summary.ResultsDirectoryPath)!, recursive: true);
        return table;
    }

    /// <summary>A header of one block.</summary>
    [Benchmark(Description = "tar header, ustar")]
    public byte[] Header() => TarHeader.Encode(_short);

    /// <summary>A header with a pax record.</summary>
    [Benchmark(Description = "tar header, pax")]
    public byte[] PaxHeader() => TarHeader.Encode(_long);

    /// <summary>A block of a log.</summary>
    [Benchmark(Description = "deflate-2, 128 KiB of a log")]
    public int Block() => _encoder.Encode(_block, _output);

    /// <summary>A block that is stored.</summary>
    [Benchmark(Description = "deflate-2, 128 KiB of random bytes")]
    public int RandomBlock() => _encoder.Encode(_random, _output);

    /// <summary>The checksum of a block.</summary>
    [Benchmark(Description = "CRC-32, 128 KiB")]
    public void Crc() => _crc.Append(_block);
}
