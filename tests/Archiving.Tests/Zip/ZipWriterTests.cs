using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Gateway.Archiving;
using Testing;

namespace Archiving.Tests.Zip;

public class ZipWriterTests
{
    // A deflated body of 4 GiB: every reader must take lengths from the Zip64 records.
    private const long FourGiB = 1L << 32;

    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    [InlineData(Compression.Store)]
    public async Task Every_reader_sees_every_entry(Compression compression)
    {
        (string Name, byte[] Body)[] entries =
        [
            ("text.txt", new ObjectContent(300_017, 1).ToArray()),
            ("empty", []),
            ("grüße/日本語/😀.txt", Encoding.UTF8.GetBytes("grüße")),
            ("deep/" + string.Join('/', Enumerable.Repeat(new string('d', 100), 20)) + "/name", [1]),
            ("media.bin", new ObjectContent(500_003, 2, compressible: false).ToArray()),
        ];
        var bytes = await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.Zip, compression), entries);

        var read = Download.ReadEntries(bytes);
        Assert.Equal(entries.Select(entry => entry.Name), read.Keys);
        Assert.All(entries, entry => Assert.Equal(entry.Body, read[entry.Name]));
        using (var zip = new ZipArchive(new MemoryStream(bytes)))
        {
            Assert.All(zip.Entries, entry => Assert.Equal(Archive.Modified.UtcDateTime, entry.LastWriteTime.DateTime));
            Assert.All(zip.Entries, entry => Assert.Equal(0x81A4, entry.ExternalAttributes >>> 16));
        }

        using var file = new SparseFile();
        file.Output.Write(bytes);
        file.Output.Flush();
        foreach (var (tool, arguments) in new[] { ("unzip", "-tqq"), ("7z", "t"), ("bsdtar", "-tf"), ("python3", "-m zipfile -t") })
        {
            var result = await Tool.RunAsync(tool, [.. arguments.Split(' '), file.Path]);
            Assert.True(result.ExitCode == 0, $"{tool}: {result.Error}{result.Output}");
        }

        // A pipe has no directory to read first: the records before and after the bodies must be enough.
        foreach (var command in new[] { "bsdtar -xOf - media.bin", $"busybox unzip -p {file.Path} media.bin" })
        {
            var result = await Tool.RunAsync("sh", ["-c", command + " | sha256sum"], bytes);
            Assert.StartsWith(Download.Hash(entries[^1].Body), result.Output, StringComparison.Ordinal);
        }

        var python = await Tool.RunAsync(
            "python3", ["-c", "import zipfile,sys,hashlib; z=zipfile.ZipFile(sys.argv[1]); print(*[hashlib.sha256(z.read(i)).hexdigest() for i in z.infolist()], sep='\\n')", file.Path]);
        Assert.Equal(entries.Select(entry => Download.Hash(entry.Body)), python.Output.TrimEnd().Split('\n'));
        Assert.Contains("-rw-r--r--", (await Tool.RunAsync("unzip", ["-Z", file.Path])).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(4095)]
    public async Task Hostile_8_Names_of_every_length_are_read_back_by_every_reader(int length)
    {
        Matrix.RequireFull(unless: length is 101 or 4095);

        // Segments of at most 200 characters, so that a file system can store them.
        var name = string.Concat(Enumerable.Range(0, length).Select(i => i % 200 == 199 && i < length - 1 ? '/' : 'n'));
        var bytes = await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.Zip), (name, [1, 2, 3]), ("last", [4]));

        Assert.Equal([name, "last"], Download.ReadEntries(bytes).Keys);
        using var file = new SparseFile();
        file.Output.Write(bytes);
        file.Output.Flush();
        var python = await Tool.RunAsync("python3", ["-c", "import zipfile,sys; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep='\\n')", file.Path]);
        Assert.Equal($"{name}\nlast\n", python.Output);
        Assert.Equal($"{name}\nlast\n", (await Tool.RunAsync("bsdtar", ["-tf", file.Path])).Output);
        Assert.Equal($"{name}\nlast\n", (await Tool.RunAsync("unzip", ["-Z1", file.Path])).Output);
    }

    [Theory]
    [InlineData("0001-01-01", "1980-01-01")]
    [InlineData("1969-12-31", "1980-01-01")]
    [InlineData("1979-12-31", "1980-01-01")]
    [InlineData("2107-12-31", "2107-12-31")]
    [InlineData("9999-12-31", "2107-12-31")]
    public async Task Hostile_16_Times_out_of_range_become_the_nearest_possible_one(string modified, string expected)
    {
        using var output = new MemoryStream();
        var archive = ArchiveWriter.Create(new ArchiveRecipe(ArchiveFormat.Zip), PipeWriter.Create(output));
        await archive.WriteEntryAsync(new ArchiveEntry("a", 0, DateTimeOffset.Parse(modified + "T00:00:00Z", null)), Stream.Null);
        await archive.FinishAsync();

        using var zip = new ZipArchive(output);
        Assert.Equal(expected, zip.Entries[0].LastWriteTime.ToString("yyyy-MM-dd", null));
        using var file = new SparseFile();
        file.Output.Write(output.ToArray());
        file.Output.Flush();
        Assert.Equal(0, (await Tool.RunAsync("unzip", ["-tqq", file.Path])).ExitCode);
        Assert.Equal(0, (await Tool.RunAsync("bsdtar", ["-tvf", file.Path])).ExitCode);
    }

    [Theory]
    [InlineData(65_534, 22)]
    [InlineData(65_535, 98)]
    [InlineData(65_536, 98)]
    public async Task Hostile_17_All_entries_around_the_16_bit_limit_are_seen(int count, int end)
    {
        if (count != 65_535)
        {
            Matrix.RequireFull();
        }

        using var file = new SparseFile();
        var archive = ArchiveWriter.Create(new ArchiveRecipe(ArchiveFormat.Zip), PipeWriter.Create(file.Output));
        for (var i = 0; i < count; i++)
        {
            archive.StartEntry(new ArchiveEntry($"{i:000000}", 0, Archive.Modified));
            archive.EndEntry();
            await archive.FlushAsync();
        }

        await archive.FinishAsync();
        file.Output.Flush();

        Assert.Equal((count * (30 + 6 + 9 + 46 + 6 + 9)) + end, new FileInfo(file.Path).Length);
        using (var zip = new ZipArchive(file.OpenRead()))
        {
            Assert.Equal(count, zip.Entries.Count);
        }

        var python = await Tool.RunAsync("python3", ["-c", "import zipfile,sys; print(len(zipfile.ZipFile(sys.argv[1]).infolist()))", file.Path]);
        Assert.Equal($"{count}\n", python.Output);
        Assert.Contains($"{count} files", (await Tool.RunAsync("unzip", ["-Z", "-t", file.Path])).Output, StringComparison.Ordinal);
        Assert.Contains($"Files: {count}", (await Tool.RunAsync("7z", ["t", file.Path])).Output, StringComparison.Ordinal);
        Assert.Equal(count, (await Tool.RunAsync("bsdtar", ["-tf", file.Path])).Output.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData(FourGiB - 2)]
    [InlineData(FourGiB - 1)]
    [InlineData(FourGiB)]
    [InlineData(FourGiB + 1)]
    [InlineData((2 * FourGiB) - 1)]
    [InlineData(2 * FourGiB)]
    [InlineData((2 * FourGiB) + 1)]
    public async Task Hostile_17_Sizes_around_4_and_8_GiB_and_the_entries_after_them_are_seen_by_every_reader(long size)
    {
        Matrix.RequireFull(unless: size == FourGiB);

        using var file = new SparseFile();
        var recipe = new ArchiveRecipe(ArchiveFormat.Zip, Compression.Store);
        var layout = Gateway.Archiving.Layout.ArchiveLayout.Create(recipe, [new ArchiveEntry("large", size, Archive.Modified), new ArchiveEntry("last", 3, Archive.Modified)]);
        await WriteZerosAsync(recipe, size, file.Output);

        Assert.Equal(layout.Length, new FileInfo(file.Path).Length);
        var python = await Tool.RunAsync(
            "python3", ["-c", "import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); print([i.file_size for i in z.infolist()], z.read('last'))", file.Path]);
        Assert.Equal($"[{size}, 3] b'end'\n", python.Output);
        Assert.Contains($"{size} ", (await Tool.RunAsync("unzip", ["-l", file.Path])).Output, StringComparison.Ordinal);
        if (size != FourGiB - 1)
        {
            // If a size equals the Zip64 mark, unzip 6.0 also applies the mark to the next entry.
            Assert.Equal("end", (await Tool.RunAsync("unzip", ["-p", file.Path, "last"])).Output);
        }

        Assert.Contains($" {size} ", (await Tool.RunAsync("7z", ["l", file.Path])).Output, StringComparison.Ordinal);
        Assert.Contains($" {size} ", (await Tool.RunAsync("bsdtar", ["-tvf", file.Path])).Output, StringComparison.Ordinal);
        using var zip = new ZipArchive(file.OpenRead());
        Assert.Equal([size, 3], zip.Entries.Select(entry => entry.Length));
        using var last = new StreamReader(zip.Entries[1].Open());
        Assert.Equal("end", await last.ReadToEndAsync());
    }

    [Fact]
    public async Task Hostile_17_A_deflated_body_of_more_than_4_GiB_is_unpacked_by_every_reader()
    {
        Matrix.RequireFull();
        using var file = new SparseFile();
        await WriteZerosAsync(new ArchiveRecipe(ArchiveFormat.Zip), FourGiB + 1, file.Output);

        var results = await Task.WhenAll(
            Tool.RunAsync("unzip", ["-tqq", file.Path]),
            Tool.RunAsync("7z", ["t", file.Path]),
            Tool.RunAsync("sh", ["-c", $"bsdtar -xOf - last < {file.Path}"]));
        Assert.All(results, result => Assert.True(result.ExitCode == 0, result.Error + result.Output));
        Assert.Equal("end", results[2].Output);
    }

    private static async Task WriteZerosAsync(ArchiveRecipe recipe, long size, Stream output)
    {
        var archive = ArchiveWriter.Create(recipe, PipeWriter.Create(output), workers: 2);
        await Archive.WriteZerosAsync(archive, "large", size);
        await archive.WriteEntryAsync(new ArchiveEntry("last", 3, Archive.Modified), new MemoryStream("end"u8.ToArray()));
        await archive.FinishAsync();
        output.Flush();
    }
}
