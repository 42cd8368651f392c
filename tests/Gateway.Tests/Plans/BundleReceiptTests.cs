using System.Formats.Tar;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Gateway.Archiving;
using Gateway.Plans;

namespace Gateway.Tests.Plans;

public class BundleReceiptTests
{
    private static readonly byte[] Hash = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly PlannedEntry[] Entries =
    [
        TestBundle.Entry("s/a"),
        TestBundle.MissingEntry("s/m", 1),
        TestBundle.Entry("s/\"ü\n", TestBundle.Head(0, etag: null) with { Encoding = "gzip" }, 2) with { Name = "b" },
        TestBundle.Entry("s/c", (TestBundle.Head() with { Encoding = "br", Modified = TestBundle.Modified.AddHours(1) }).Decoded(500), 3),
    ];

    [Fact]
    public async Task Its_length_is_known_before_an_object_is_read()
    {
        var text = await WriteAsync(Entries);

        Assert.Equal(BundleReceipt.GetEntry(Entries).Size, Encoding.UTF8.GetByteCount(text));
    }

    [Fact]
    public void It_is_as_old_as_the_newest_entry()
    {
        Assert.Equal(TestBundle.Modified.AddHours(1), BundleReceipt.GetEntry(Entries).Modified);

        Assert.Equal(DateTimeOffset.UnixEpoch, BundleReceipt.GetEntry([TestBundle.MissingEntry("s/m", 0)]).Modified);
    }

    [Fact]
    public async Task It_lists_every_entry_with_what_identifies_its_bytes()
    {
        var text = await WriteAsync(Entries);

        var entries = JsonDocument.Parse(text).RootElement.GetProperty("entries").EnumerateArray().ToArray();
        Assert.Equal(
            """{"id":"s/a","name":"s/a","size":100,"sha256":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","etag":"\"v1\"","modified":"2026-01-02T03:04:05Z","status":"ok"}""",
            entries[0].GetRawText());
        Assert.Equal("""{"id":"s/m","name":"s/m","status":"missing"}""", entries[1].GetRawText());
        Assert.Equal(("s/\"ü\n", "b", "gzip"), (entries[2].GetProperty("id").GetString(), entries[2].GetProperty("name").GetString(), entries[2].GetProperty("encoding").GetString()));
        Assert.Equal(JsonValueKind.Null, entries[2].GetProperty("etag").ValueKind);
        Assert.Equal((500, "br"), (entries[3].GetProperty("size").GetInt32(), entries[3].GetProperty("decoded").GetString()));
        Assert.False(entries[3].TryGetProperty("encoding", out _));
    }

    [Fact]
    public async Task It_contains_the_version_ids_of_a_store_that_keeps_versions()
    {
        PlannedEntry[] entries = [TestBundle.Entry("s/a", TestBundle.Head() with { Version = "3/L4\"=" })];

        var text = await WriteAsync(entries);

        Assert.Contains("""03:04:05Z","version":"3/L4\"=","status":"ok"}""", text, StringComparison.Ordinal);
        Assert.Equal(BundleReceipt.GetEntry(entries).Size, Encoding.UTF8.GetByteCount(text));
    }

    [Fact]
    public async Task Hashes_are_asked_by_the_place_among_the_entries_that_exist()
    {
        var text = await WriteAsync(Entries, place => [.. Enumerable.Repeat((byte)place, 32)]);

        var hashes = JsonDocument.Parse(text).RootElement.GetProperty("entries").EnumerateArray()
            .Select(entry => entry.TryGetProperty("sha256", out var hash) ? hash.GetString()![..2] : "none");
        Assert.Equal(["00", "none", "01", "02"], hashes);
    }

    [Fact]
    public async Task Each_entry_is_one_line()
    {
        var lines = (await WriteAsync(Entries)).Split('\n');

        Assert.Equal(Entries.Length + 3, lines.Length);
        Assert.Equal(("{\"entries\":[", "]}", ""), (lines[0], lines[^2], lines[^1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(1000)]
    [InlineData(40_000)]
    public async Task A_receipt_that_continues_an_earlier_one_is_its_rest(int skip)
    {
        // More than one flush.
        PlannedEntry[] entries = [.. Enumerable.Range(0, 300).Select(i => TestBundle.Entry($"s/{i}", index: i))];
        var whole = await WriteAsync(entries);

        Assert.Equal(whole[skip..], await WriteAsync(entries, skip: skip));
    }

    private static async Task<string> WriteAsync(PlannedEntry[] entries, Func<int, byte[]>? hashOf = null, int skip = 0)
    {
        var length = BundleReceipt.GetEntry(entries).Size - skip;
        using var stream = new MemoryStream();
        var archive = ArchiveWriter.Create(new ArchiveRecipe(ArchiveFormat.Tar), PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
        archive.StartEntry(new ArchiveEntry("MANIFEST.json", length, TestBundle.Modified));
        await BundleReceipt.WriteAsync(archive, entries, hashOf ?? (_ => Hash), skip, CancellationToken.None);
        archive.EndEntry();
        await archive.FinishAsync();
        archive.Complete();

        stream.Position = 0;
        using var reader = new StreamReader((await new TarReader(stream).GetNextEntryAsync(copyData: true))!.DataStream!);
        return await reader.ReadToEndAsync();
    }
}
