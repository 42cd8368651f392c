using System.IO.Compression;
using System.Security.Cryptography;
using CsCheck;
using Gateway.Archiving;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Encoders;
using Testing;

namespace Archiving.Tests.Blocks;

/// <summary>Every encoder must produce whole blocks that end on a byte, and blocks must survive a round trip.</summary>
public class BlockEncoderTests
{
    private const int Block = ArchiveRecipe.BlockSize;

    public static TheoryData<Compression> Compressions => new(Enum.GetValues<Compression>());

    private static readonly Gen<byte[]> Generated = Gen.OneOf(
        Gen.Byte.Array[0, 300],
        Gen.Select(Gen.Byte[0, 3].Array[1, 2000], bytes => bytes),
        Gen.Select(Gen.Int[1, 300], Gen.Int[0, 3000], Gen.Int, (period, length, seed) => Periodic(period, length, seed)),
        Gen.Select(Gen.Int[0, 40_000], Gen.Int[1, 2000], Gen.Int, NearlyRandom),
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 600], (value, length) => Enumerable.Repeat((byte)value, length).ToArray()));

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Generated_blocks_survive_a_round_trip(Compression compression)
    {
        // A hundred thousand for our own encoder; the runtime's needs less testing.
        var encoder = EncoderCatalogue.Get(new ArchiveRecipe(Compression: compression));
        Generated.Sample(plain => RoundTrips(encoder, plain), iter: (compression == Compression.Fast ? 100_000 : 2000) / Matrix.Of(full: 1, reduced: 10));
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Blocks_of_every_length_around_the_edges_survive_a_round_trip(Compression compression)
    {
        var encoder = EncoderCatalogue.Get(new ArchiveRecipe(Compression: compression));
        var text = new ObjectContent(Block, 7).ToArray();
        foreach (var length in Enumerable.Range(0, 70).Concat([255, 256, 257, 258, 259, 260, 4095, 4096, 8191, 8192, 8193, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, Block - 1, Block]))
        {
            Assert.True(RoundTrips(encoder, text[..length]), $"{length} bytes");
            Assert.True(RoundTrips(encoder, new byte[length]), $"{length} zeros");
        }
    }

    [Fact]
    public void Every_period_up_to_300_survives_a_round_trip()
    {
        for (var period = 1; period <= 300; period++)
        {
            Assert.True(RoundTrips(EncoderCatalogue.Get(new ArchiveRecipe()), Periodic(period, 5000 + period, period)), $"period {period}");
        }
    }

    [Theory]
    [InlineData(32_767)]
    [InlineData(32_768)]
    [InlineData(32_769)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    public void Repeats_at_and_beyond_the_largest_distance_survive_a_round_trip(int distance)
    {
        var plain = new ObjectContent(Block, 3, compressible: false).ToArray();
        plain.AsSpan(0, Block - distance).CopyTo(plain.AsSpan(distance));

        Assert.True(RoundTrips(EncoderCatalogue.Get(new ArchiveRecipe()), plain));
    }

    [Fact]
    public void A_repeat_of_bytes_that_the_search_skipped_survives_a_round_trip()
    {
        // Random bytes with a repeated stretch: by then the search looks at few positions and finds it in its middle.
        for (var seed = 0; seed < 200; seed++)
        {
            var plain = new byte[60_000];
            new Random(seed).NextBytes(plain);
            plain.AsSpan(20_000 + seed, 3000).CopyTo(plain.AsSpan(45_000));
            plain.AsSpan(59_000).Fill(1);

            Assert.True(RoundTrips(EncoderCatalogue.Get(new ArchiveRecipe()), plain), $"seed {seed}");
        }
    }

    [Fact]
    public void Codes_of_15_bits_survive_a_round_trip()
    {
        // Frequencies like Fibonacci numbers give the longest codes possible for this many bytes.
        var plain = new List<byte>();
        for (int symbol = 0, a = 1, b = 1; plain.Count + a < Block; symbol++, (a, b) = (b, a + b))
        {
            plain.AddRange(Enumerable.Repeat((byte)(symbol * 37), a));
        }

        var shuffled = plain.ToArray();
        new Random(1).Shuffle(shuffled);

        Assert.True(RoundTrips(EncoderCatalogue.Get(new ArchiveRecipe()), shuffled));
    }

    [Fact]
    public void Real_files_survive_a_round_trip()
    {
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Order(StringComparer.Ordinal).Take(20))
        {
            foreach (var block in File.ReadAllBytes(file).Chunk(Block))
            {
                Assert.True(RoundTrips(EncoderCatalogue.Get(new ArchiveRecipe()), block), file);
            }
        }
    }

    /// <summary>Resuming on another replica depends on this. If this hash changes on purpose, increment the recipe's version.</summary>
    [Fact]
    public void Our_own_encoder_gives_the_same_bytes_everywhere_and_in_every_version()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var seed = 0; seed < 20; seed++)
        {
            hash.AppendData(Encode(EncoderCatalogue.Get(new ArchiveRecipe()), new ObjectContent(Block, seed).ToArray()));
            hash.AppendData(Encode(EncoderCatalogue.Get(new ArchiveRecipe()), Periodic(seed + 1, 10_000, seed)));
            hash.AppendData(Encode(EncoderCatalogue.Get(new ArchiveRecipe()), NearlyRandom(50_000, 100, seed)));
        }

        Assert.Equal("9336d5e2190ea990bbefc4971e950da7", Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16)));
    }

    [Fact]
    public void Blocks_of_ISA_L_survive_a_round_trip_if_it_is_installed()
    {
        Tool.RequireLibrary("libisal.so.2");
        var encoder = EncoderCatalogue.Get(new ArchiveRecipe(FastEncoder: FastEncoder.Isal));

        encoder.SelfTest();
        Generated.Sample(plain => RoundTrips(encoder, plain), iter: Matrix.Of(full: 20_000, reduced: 3_000) / Matrix.Of(full: 1, reduced: 10));
        for (var length = 0; length < 70; length++)
        {
            Assert.True(RoundTrips(encoder, new byte[length]), $"{length} zeros");
        }

        Assert.True(RoundTrips(encoder, new ObjectContent(Block, 1).ToArray()));
        Assert.True(RoundTrips(encoder, new ObjectContent(Block, 1, compressible: false).ToArray()));
        Assert.NotEqual(new ArchiveRecipe().Fingerprint, new ArchiveRecipe(FastEncoder: FastEncoder.Isal).Fingerprint);
    }

    [Fact]
    public void Blocks_of_libdeflate_survive_a_round_trip_if_it_is_installed()
    {
        Tool.RequireLibrary("libdeflate.so.0");
        var encoder = EncoderCatalogue.Get(new ArchiveRecipe(Compression: Compression.Small));
        Assert.StartsWith("libdeflate", encoder.Name, StringComparison.Ordinal);

        encoder.SelfTest();
        Generated.Sample(plain => RoundTrips(encoder, plain), iter: 20_000);
        for (var length = 0; length < 600; length++)
        {
            Assert.True(RoundTrips(encoder, new byte[length]), $"{length} zeros");
            Assert.True(RoundTrips(encoder, Periodic(length, length, 7)), $"{length} bytes");
        }

        Assert.True(RoundTrips(encoder, new ObjectContent(Block, 1).ToArray()));
        Assert.True(RoundTrips(encoder, new ObjectContent(Block, 1, compressible: false).ToArray()));
    }

    [Fact]
    public void Blocks_of_the_runtime_s_zlib_survive_a_round_trip() =>
        Generated.Sample(plain => RoundTrips(new ZlibBlockEncoder(6, 9), plain), iter: 2000 / Matrix.Of(full: 1, reduced: 10));

    [Fact]
    public async Task Small_is_smaller_than_gzip_6_with_libdeflate_and_hardly_larger_without()
    {
        Tool.RequireLibrary("libdeflate.so.0");
        var libdeflate = EncoderCatalogue.Get(new ArchiveRecipe(Compression: Compression.Small));
        var plain = File.ReadAllBytes(typeof(object).Assembly.Location)[..(4 << 20)];

        var gzip = await Tool.RunAsync("bash", ["-c", "gzip -6 -c | wc -c"], plain);
        var most = long.Parse(gzip.Output, System.Globalization.CultureInfo.InvariantCulture);

        Assert.InRange(Size(libdeflate), 1, most);
        Assert.InRange(Size(new ZlibBlockEncoder(6, 9)), 1, most * 1.01);

        double Size(BlockEncoder encoder) => plain.Chunk(encoder.BlockSize).Sum(block => Encode(encoder, block).Length);
    }

    [Fact]
    public void Blocks_do_not_depend_on_previous_or_concurrent_ones()
    {
        var encoder = EncoderCatalogue.Get(new ArchiveRecipe());
        var blocks = Enumerable.Range(0, Matrix.Of(full: 64, reduced: 16)).Select(i => new ObjectContent(Block, i).ToArray()).ToArray();
        var alone = blocks.Select(block => Encode(encoder, block)).ToArray();
        var together = new byte[blocks.Length][];

        Parallel.For(0, blocks.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => together[i] = Encode(encoder, blocks[i]));

        Assert.Equal(alone, together);
    }

    [Fact]
    public async Task Other_inflaters_read_our_blocks()
    {
        var plain = new List<byte>();
        Generated.Sample(bytes => plain.AddRange(bytes), iter: 2000, threads: 1);
        var archive = await Archive.WriteAsync(new ArchiveRecipe(), ("generated", plain.ToArray()));

        foreach (var (tool, arguments) in new[] { ("gzip", "-t"), ("pigz", "-t"), ("busybox", "gunzip -t"), ("bsdtar", "-tzf-"), ("7z", "t -si -tgzip") })
        {
            var result = await Tool.RunAsync(tool, arguments.Split(' '), archive);
            Assert.True(result.ExitCode == 0, $"{tool}: {result.Error}{result.Output}");
        }

        var python = await Tool.RunAsync(
            "python3", ["-c", "import tarfile,sys,hashlib; t=tarfile.open(fileobj=sys.stdin.buffer,mode='r|gz'); print(hashlib.sha256(t.extractfile(t.next()).read()).hexdigest())"], archive);
        Assert.Equal(Download.Hash(plain.ToArray()) + "\n", python.Output);
    }

    private static bool RoundTrips(BlockEncoder encoder, byte[] plain)
    {
        var encoded = Encode(encoder, plain);
        using var inflated = new MemoryStream();
        using (var inflate = new DeflateStream(new MemoryStream([.. encoded, .. StoredDeflate.Final]), CompressionMode.Decompress))
        {
            inflate.CopyTo(inflated);
        }

        return inflated.ToArray().AsSpan().SequenceEqual(plain);
    }

    private static byte[] Encode(BlockEncoder encoder, byte[] plain)
    {
        var most = encoder.Stored.EncodedLength(plain.Length);
        var output = new byte[most];
        var length = encoder.Encode(plain, output);
        Assert.InRange(length, 0, most);
        return output[..length];
    }

    private static byte[] Periodic(int period, int length, int seed)
    {
        var once = new byte[period];
        new Random(seed).NextBytes(once);
        return [.. Enumerable.Range(0, length).Select(i => once[i % period])];
    }

    /// <summary>Random bytes with some repeats.</summary>
    private static byte[] NearlyRandom(int length, int spacing, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[length];
        random.NextBytes(bytes);
        for (var at = spacing; at + 8 < length; at += random.Next(1, 2 * spacing))
        {
            var copied = random.Next(1, Math.Min(300, length - at));
            var from = random.Next(0, at);
            for (var i = 0; i < copied; i++)
            {
                bytes[at + i] = bytes[from + i];
            }
        }

        return bytes;
    }
}
