using System.Buffers;
using System.Formats.Tar;
using System.IO.Compression;
using System.IO.Pipelines;
using CsCheck;
using Gateway.Archiving;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Encoders;
using Gateway.Archiving.Gzip;
using Testing;

namespace Archiving.Tests.Gzip;

public class GzipWriterTests
{
    private const int Block = ArchiveRecipe.BlockSize;

    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    [InlineData(Compression.Store)]
    public async Task Every_reader_of_gzip_sees_one_member_with_all_blocks(Compression compression)
    {
        var compressible = new ObjectContent(3 * Block + 17, 1).ToArray();
        var random = new ObjectContent(2 * Block + 5, 2, compressible: false).ToArray();
        var bytes = await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.TarGz, compression), ("text", compressible), ("random", random));

        var entries = Download.ReadEntries(bytes);
        Assert.Equal(compressible, entries["text"]);
        Assert.Equal(random, entries["random"]);
        foreach (var (tool, arguments) in new[] { ("gzip", "-t"), ("pigz", "-t"), ("tar", "-tzf-"), ("bsdtar", "-tzf-"), ("busybox", "gunzip -t") })
        {
            var result = await Tool.RunAsync(tool, arguments.Split(' '), bytes);
            Assert.True(result.ExitCode == 0, $"{tool}: {result.Error}");
        }

        var python = await Tool.RunAsync(
            "python3",
            ["-c", "import zlib,sys,hashlib; d=zlib.decompressobj(31); b=d.decompress(sys.stdin.buffer.read()); print(d.eof, len(d.unused_data), hashlib.sha256(b).hexdigest())"],
            bytes);
        var plain = await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.Tar), ("text", compressible), ("random", random));
        Assert.Equal($"True 0 {Download.Hash(plain)}\n", python.Output);
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(16, 0)]
    [InlineData(1, 300_000)]
    [InlineData(2, 700_000)]
    public async Task Neither_the_number_of_workers_nor_the_output_s_room_changes_a_byte(int workers, int room)
    {
        // Compressible and incompressible stretches, so that blocks take both paths.
        var plain = Enumerable.Range(0, 12).SelectMany(i => new ObjectContent(300_000 + i, i, compressible: i % 3 != 1).ToArray()).ToArray();
        var expected = await WriteAsync(plain, [plain.Length]);

        await Gen.Int[1, 2 * Block].Array[1, 20].SampleAsync(
            async sizes => (await WriteAsync(plain, sizes, workers, room)).AsSpan().SequenceEqual(expected),
            iter: 30);
    }

    [Fact]
    public async Task Hostile_17_A_tar_of_more_than_4_GiB_is_unpacked_by_every_reader()
    {
        Matrix.RequireFull();
        const long Size = (4L << 30) + 1;
        using var file = new SparseFile();
        var archive = ArchiveWriter.Create(new ArchiveRecipe(ArchiveFormat.TarGz), PipeWriter.Create(file.Output), workers: 2);
        await Archive.WriteZerosAsync(archive, "large", Size);
        await archive.WriteEntryAsync(new ArchiveEntry("last", 3, Archive.Modified), new MemoryStream("end"u8.ToArray()));
        await archive.FinishAsync();
        file.Output.Flush();

        Assert.Contains($" {Size} ", (await Tool.RunAsync("tar", ["-tvzf", file.Path])).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Tool.RunAsync("pigz", ["-t", file.Path])).ExitCode);
        await using var gzip = new GZipStream(file.OpenRead(), CompressionMode.Decompress);
        await using var tar = new TarReader(gzip);
        Assert.Equal(Size, (await tar.GetNextEntryAsync())!.Length);
        Assert.Equal("last", (await tar.GetNextEntryAsync())!.Name);
    }

    [Fact]
    public async Task Completing_with_blocks_in_progress_writes_nothing_more()
    {
        for (var i = 0; i < 50; i++)
        {
            using var output = new MemoryStream();
            var pipe = PipeWriter.Create(output);
            var gzip = NewGzip(pipe, 4);
            gzip.Write(new ObjectContent(10 * Block, i).ToArray());
            await gzip.CompleteAsync();
            await pipe.FlushAsync();

            Assert.Equal(10, output.Length);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_stalled_output_blocks_the_caller_with_no_more_blocks_than_workers(int workers)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
        var gzip = NewGzip(pipe.Writer, workers);
        var block = new ObjectContent(Block, 1).ToArray();
        var taken = 0;
        Task<FlushResult> flush;
        do
        {
            gzip.Write(block);
            flush = gzip.FlushAsync().AsTask();
            taken++;

            // Encoding takes a moment; a flush blocks permanently on the pipe, which is never read.
            await Task.WhenAny(flush, Eventually.StandsStillAsync(() => 0, TimeSpan.FromMilliseconds(300)));
        }
        while (flush.IsCompleted && taken < 100);

        Assert.InRange(taken, 1, workers + 1);
        await pipe.Reader.CompleteAsync();
        Assert.True((await flush).IsCompleted);
        gzip.Complete();
    }

    [Fact]
    public async Task Entries_without_a_body_do_not_accumulate()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 100, resumeWriterThreshold: 1));
        var archive = ArchiveWriter.Create(new ArchiveRecipe(), pipe.Writer, workers: 2);
        var written = 0;
        var writing = Task.Run(async () =>
        {
            for (; written < 5000; written++)
            {
                await archive.WriteEntryAsync(new ArchiveEntry($"{written}-{new string('n', 90)}", 0, Archive.Modified), Stream.Null);
            }
        });

        // 512 bytes each: not nearly all fit into the blocks that may be in progress.
        var stopped = await Eventually.StandsStillAsync(() => Volatile.Read(ref written), TimeSpan.FromMilliseconds(500));

        Assert.InRange(stopped, 1, 4 * Block / 512);
        await pipe.Reader.CompleteAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => writing);
        archive.Complete();
    }

    [Fact]
    public async Task The_archive_does_not_depend_on_writes_and_flushes()
    {
        var plain = new ObjectContent(3 * Block + 1000, 5).ToArray();
        var whole = await WriteAsync(plain, [plain.Length]);

        await Gen.Int[1, 2 * Block].Array[1, 20].SampleAsync(
            async sizes => (await WriteAsync(plain, sizes)).AsSpan().SequenceEqual(whole),
            iter: 200);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Block - 1)]
    [InlineData(Block)]
    [InlineData(Block + 1)]
    public async Task Lengths_around_a_block_survive_a_round_trip(int length)
    {
        var plain = new ObjectContent(length, 3).ToArray();

        Assert.Equal(plain, Inflate(await WriteAsync(plain, [length + 1])));
    }

    [Fact]
    public async Task A_block_that_does_not_shrink_only_adds_its_stored_headers()
    {
        var plain = new ObjectContent(8 * Block, 3, compressible: false).ToArray();

        var bytes = await WriteAsync(plain, [plain.Length]);

        Assert.Equal(10 + (8 * StoredDeflate.Instance.EncodedLength(Block)) + StoredDeflate.Final.Length + 8, bytes.Length);
    }

    [Fact]
    public async Task Memory_larger_than_the_rest_of_a_block_is_still_cut_at_the_block()
    {
        var plain = new ObjectContent(2 * Block, 9).ToArray();
        using var output = new MemoryStream();
        var gzip = NewGzip(PipeWriter.Create(output));
        for (var rest = plain.AsSpan(); !rest.IsEmpty;)
        {
            var length = Math.Min(50_000, rest.Length);
            rest[..length].CopyTo(gzip.GetSpan(60_000));
            gzip.Advance(length);
            rest = rest[length..];
        }

        await gzip.FinishAsync();

        Assert.Equal(await WriteAsync(plain, [plain.Length]), output.ToArray());
    }

    [Fact]
    public async Task Only_the_header_is_sent_before_a_block_is_full()
    {
        using var output = new MemoryStream();
        var gzip = NewGzip(PipeWriter.Create(output));
        gzip.Write(new byte[Block - 1]);
        await gzip.FlushAsync();
        Assert.Equal(10, output.Length);

        gzip.Write(new byte[1]);
        await gzip.FlushAsync();

        Assert.InRange(output.Length, 11, Block / 50);
    }

    [Fact]
    public void The_fingerprint_contains_everything_that_determines_the_bytes()
    {
        var fingerprints = Enum.GetValues<Compression>().Select(compression => new ArchiveRecipe(ArchiveFormat.TarGz, compression).Fingerprint).ToArray();

        Assert.Equal(fingerprints.Length, fingerprints.Distinct().Count());
        Assert.Equal(fingerprints[0], new ArchiveRecipe().Fingerprint);
    }

    private static GzipWriter NewGzip(PipeWriter output, int workers = 1) =>
        new(output, new BlockWriter(output, EncoderCatalogue.Get(new ArchiveRecipe()), workers, default, null));

    private static byte[] Inflate(byte[] gzip)
    {
        using var plain = new MemoryStream();
        new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress).CopyTo(plain);
        return plain.ToArray();
    }

    private static async Task<byte[]> WriteAsync(byte[] plain, int[] sizes, int workers = 1, int room = 0)
    {
        using var output = new MemoryStream();
        var gzip = NewGzip(PipeWriter.Create(output, new(minimumBufferSize: Math.Max(room, 4096))), workers);
        for (int offset = 0, i = 0; offset < plain.Length; i++)
        {
            var length = Math.Min(sizes[i % sizes.Length], plain.Length - offset);
            gzip.Write(plain.AsSpan(offset, length));
            await gzip.FlushAsync();
            offset += length;
        }

        await gzip.FinishAsync();
        return output.ToArray();
    }
}
