using System.Formats.Tar;
using System.IO.Pipelines;
using System.Text;
using Gateway.Archiving;
using Testing;

namespace Archiving.Tests.Tar;

public class TarWriterTests
{
    private static readonly ArchiveRecipe PlainTar = new(ArchiveFormat.Tar);

    public static TheoryData<string> Names => new(
        "a",
        new string('n', 99),
        new string('n', 100),
        new string('n', 101),
        "d/" + new string('n', 100),
        new string('p', 155) + "/" + new string('n', 100),
        new string('p', 156) + "/" + new string('n', 100),
        new string('p', 155) + "/" + new string('n', 101),
        new string('n', 255),
        string.Join('/', Enumerable.Repeat(new string('s', 200), 20)) + "/" + new string('e', 75),
        "grüße/日本語/😀.txt",
        "blanks and 'quotes'.txt");

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Hostile_8_Names_of_every_length_and_script_are_read_back_by_every_reader(string name)
    {
        Matrix.RequireFull(unless: name.Length is 1 or 101 or > 300 || !System.Text.Ascii.IsValid(name));
        var body = Encoding.UTF8.GetBytes("body of " + name.Length);
        var bytes = await Archive.WriteAsync(PlainTar, (name, body), ("last", body));

        using (var reader = new TarReader(new MemoryStream(bytes)))
        {
            var entry = (await reader.GetNextEntryAsync())!;
            Assert.Equal(name, entry.Name);
            Assert.Equal(body.Length, entry.Length);
            Assert.Equal(Archive.Modified, entry.ModificationTime);
            Assert.Equal((UnixFileMode)0x1A4, entry.Mode);
        }

        var gnu = await Tool.RunAsync("tar", ["--quoting-style=literal", "--show-transformed-names", "-tf", "-"], bytes);
        Assert.Equal($"{name}\nlast\n", gnu.Output);
        var python = await Tool.RunAsync(
            "python3",
            ["-c", "import tarfile,sys,json; t=tarfile.open(fileobj=sys.stdin.buffer,mode='r|'); print(json.dumps([[m.name,m.size,m.mode,m.uid,m.mtime] for m in t]))"],
            bytes);
        Assert.Equal(
            [name, "last"],
            System.Text.Json.JsonDocument.Parse(python.Output).RootElement.EnumerateArray().Select(m => m[0].GetString()!));
        var bsd = await Tool.RunAsync("bsdtar", ["-xOf", "-", "last"], bytes);
        Assert.Equal((0, Encoding.UTF8.GetString(body)), (bsd.ExitCode, bsd.Output));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn")]
    public async Task Hostile_8_A_name_that_fits_into_ustar_needs_no_extended_header(string name)
    {
        var bytes = await Archive.WriteAsync(PlainTar, (name, []));

        Assert.Equal((byte)'0', bytes[156]);
        Assert.Equal(512 + 1024, bytes.Length);
    }

    [Theory]
    [InlineData((8L << 30) - 1)]
    [InlineData(8L << 30)]
    [InlineData((8L << 30) + 1)]
    public async Task Hostile_17_Sizes_around_8_GiB_are_read_back_by_every_reader(long size)
    {
        var path = Path.GetTempFileName();
        try
        {
            // The body is a hole in a sparse file: readers skip it.
            await using (var file = File.Create(path))
            {
                var pipe = PipeWriter.Create(file, new(leaveOpen: true));
                var archive = ArchiveWriter.Create(PlainTar, pipe);
                archive.StartEntry(new ArchiveEntry("large", size, Archive.Modified));
                await archive.FlushAsync();
                file.SetLength(file.Length + ((size + 511) / 512 * 512));
                file.Position = file.Length;
                var tail = ArchiveWriter.Create(PlainTar, pipe);
                await tail.WriteEntryAsync(new ArchiveEntry("last", 3, Archive.Modified), new MemoryStream("end"u8.ToArray()));
                await tail.FinishAsync();
            }

            Assert.Contains($" {size} ", (await Tool.RunAsync("tar", ["-tvf", path])).Output, StringComparison.Ordinal);
            Assert.Contains($" {size} ", (await Tool.RunAsync("bsdtar", ["-tvf", path])).Output, StringComparison.Ordinal);
            Assert.Equal("end", (await Tool.RunAsync("tar", ["-xOf", path, "last"])).Output);
            var python = await Tool.RunAsync("python3", ["-c", "import tarfile,sys; print([m.size for m in tarfile.open(sys.argv[1])])", path]);
            Assert.Equal($"[{size}, 3]\n", python.Output);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("0001-01-01", "1970-01-01")]
    [InlineData("1969-12-31", "1970-01-01")]
    [InlineData("9999-12-31", "2242-03-16")]
    public async Task Hostile_16_Times_out_of_range_become_the_nearest_possible_one(string modified, string expected)
    {
        using var output = new MemoryStream();
        var archive = ArchiveWriter.Create(PlainTar, PipeWriter.Create(output));
        await archive.WriteEntryAsync(new ArchiveEntry("a", 0, DateTimeOffset.Parse(modified + "T00:00:00Z", null)), Stream.Null);
        await archive.FinishAsync();

        output.Position = 0;
        Assert.Equal(expected, new TarReader(output).GetNextEntry()!.ModificationTime.ToString("yyyy-MM-dd", null));
    }

    [Fact]
    public async Task A_body_that_is_too_long_is_rejected_and_no_excess_byte_is_written()
    {
        using var output = new MemoryStream();
        var archive = ArchiveWriter.Create(PlainTar, PipeWriter.Create(output));

        var refusal = await Assert.ThrowsAsync<EntryLengthException>(
            () => archive.WriteEntryAsync(new ArchiveEntry("a", 4, Archive.Modified), new MemoryStream(new byte[5])));
        await archive.FlushAsync();

        Assert.Equal((4, 5), (refusal.Declared, refusal.Written));
        Assert.Equal(512, output.Length);
    }

    [Fact]
    public async Task A_body_that_is_too_short_is_rejected_and_the_archive_cannot_be_finished()
    {
        var archive = ArchiveWriter.Create(PlainTar, PipeWriter.Create(new MemoryStream()));

        await Assert.ThrowsAsync<EntryLengthException>(
            () => archive.WriteEntryAsync(new ArchiveEntry("a", 4, Archive.Modified), new MemoryStream(new byte[3])));

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await archive.FinishAsync());
    }

    [Fact]
    public async Task Completing_an_unfinished_archive_writes_no_end()
    {
        using var output = new MemoryStream();
        var pipe = PipeWriter.Create(output);
        var archive = ArchiveWriter.Create(new ArchiveRecipe(), pipe);
        await archive.WriteEntryAsync(new ArchiveEntry("a", 3, Archive.Modified), new MemoryStream(new byte[3]));

        await archive.CompleteAsync();
        await pipe.FlushAsync();

        Assert.Equal(10, output.Length);
    }
}
