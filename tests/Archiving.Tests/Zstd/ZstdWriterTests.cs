using System.IO.Pipelines;
using Gateway.Archiving;
using Gateway.Archiving.Zstd;
using Testing;

namespace Archiving.Tests.Zstd;

public class ZstdWriterTests
{
    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    [InlineData(Compression.Store)]
    public async Task Every_reader_sees_all_frames(Compression compression)
    {
        var text = new ObjectContent(1_300_017, 1).ToArray();
        var media = new ObjectContent(700_003, 2, compressible: false).ToArray();
        var bytes = await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.TarZst, compression), ("text", text), ("media", media));

        var entries = Download.ReadEntries(bytes);
        Assert.Equal(text, entries["text"]);
        Assert.Equal(media, entries["media"]);
        foreach (var (tool, arguments) in new[] { ("zstd", "-t"), ("tar", "--zstd -tf -"), ("bsdtar", "-tf -"), ("sh", "-c") })
        {
            var result = await Tool.RunAsync(tool, [.. arguments.Split(' '), .. tool == "sh" ? ["zstd -dc | tar -xOf - media | sha256sum"] : Array.Empty<string>()], bytes);
            Assert.True(result.ExitCode == 0, $"{tool}: {result.Error}");
            Assert.True(tool != "sh" || result.Output.StartsWith(Download.Hash(media), StringComparison.Ordinal), result.Output);
        }
    }

    [Fact]
    public async Task A_stored_archive_is_one_frame_with_its_size_for_readers_that_stop_after_the_first_frame()
    {
        Tool.RequireFile("/usr/lib/python3/dist-packages/zstandard/__init__.py");
        var entries = new[] { ("text", new ObjectContent(1_300_017, 1).ToArray()), ("media", new ObjectContent(700_003, 2, compressible: false).ToArray()) };
        var tar = await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.Tar), entries);
        var stored = await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.TarZst, Compression.Store), entries);

        var python = await Tool.RunAsync(
            "/usr/bin/python3", ["-c", "import sys,zstandard,hashlib; print(hashlib.sha256(zstandard.ZstdDecompressor().decompress(sys.stdin.buffer.read())).hexdigest())"], stored);
        Assert.True(python.ExitCode == 0, python.Error);
        Assert.Equal(Download.Hash(tar), python.Output.TrimEnd());

        using var file = new SparseFile();
        file.Output.Write(stored);
        file.Output.Flush();
        var listed = await Tool.RunAsync("zstd", ["-lv", file.Path]);
        Assert.Contains("# Zstandard Frames: 1", listed.Output, StringComparison.Ordinal);
        Assert.Contains($"({tar.Length} B)", listed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_layout_a_stored_frame_does_not_state_its_size_and_is_still_readable()
    {
        using var output = new MemoryStream();
        var archive = ArchiveWriter.Create(new ArchiveRecipe(ArchiveFormat.TarZst, Compression.Store), PipeWriter.Create(output));
        await archive.WriteEntryAsync(new ArchiveEntry("a", 3, Archive.Modified), new MemoryStream([1, 2, 3]));
        await archive.FinishAsync();
        archive.Complete();

        Assert.Equal(0, (await Tool.RunAsync("zstd", ["-t"], output.ToArray())).ExitCode);
        Assert.Equal("a\n", (await Tool.RunAsync("tar", ["--zstd", "-tf", "-"], output.ToArray())).Output);

        // A truncated archive is not accepted.
        Assert.NotEqual(0, (await Tool.RunAsync("zstd", ["-t"], output.ToArray()[..^3])).ExitCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(131_072)]
    [InlineData(131_073)]
    [InlineData(524_288)]
    public async Task A_frame_of_raw_blocks_is_a_valid_frame(int length)
    {
        var plain = new ObjectContent(length, 1, compressible: false).ToArray();
        var frame = new byte[StoredFrame.Instance.EncodedLength(length)];
        Assert.Equal(frame.Length, StoredFrame.Instance.Write(plain, frame));

        var unpacked = await Tool.RunAsync("sh", ["-c", "zstd -dc | sha256sum"], frame);
        Assert.StartsWith(Download.Hash(plain), unpacked.Output, StringComparison.Ordinal);

        // A changed byte is detected.
        frame[StoredFrame.Instance.HeaderLength] ^= 1;
        Assert.NotEqual(0, (await Tool.RunAsync("zstd", ["-t"], frame)).ExitCode);
    }

    [Theory]
    [InlineData((8L << 30) - 1)]
    [InlineData((8L << 30) + 1)]
    public async Task Hostile_17_A_tar_of_more_than_8_GiB_is_listed_by_every_reader(long size)
    {
        Matrix.RequireFull();
        using var file = new SparseFile();
        var archive = ArchiveWriter.Create(new ArchiveRecipe(ArchiveFormat.TarZst), PipeWriter.Create(file.Output), workers: 2);
        await Archive.WriteZerosAsync(archive, "large", size);
        await archive.FinishAsync();
        file.Output.Flush();

        Assert.Contains($" {size} ", (await Tool.RunAsync("tar", ["--zstd", "-tvf", file.Path])).Output, StringComparison.Ordinal);
    }
}
