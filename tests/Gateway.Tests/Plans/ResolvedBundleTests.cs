using Gateway.Archiving;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Storage;
using Gateway.Storage.Http;
using Gateway.Storage.Sources;
using Testing;

namespace Gateway.Tests.Plans;

public class ResolvedBundleTests
{
    private static readonly UpstreamOptions Upstream = new() { LookaheadBytes = 1600, Lookahead = 16, RangeBytes = 1000 };

    [Fact]
    public void Each_source_is_listed_once()
    {
        var (one, two) = (TestBundle.Source("one"), TestBundle.Source("two"));

        Assert.Equal([one, two], Create(one, two, one).Sources);
    }

    [Fact]
    public void Decoders_need_memory_only_if_a_source_decodes()
    {
        Assert.Equal(0, Create(TestBundle.DefaultSource).DecoderMemory);

        Assert.Equal(2L * ContentCodings.MaxDecoderMemory, Create(TestBundle.DefaultSource, TestBundle.Source("d", decodes: true)).DecoderMemory);
    }

    [Theory]
    [InlineData(1, 200)]
    [InlineData(8, 1600)]
    [InlineData(20, 1600)]
    public void Read_ahead_is_bounded_by_the_number_of_entries(int entries, long expected)
    {
        var bundle = Create([.. Enumerable.Repeat(TestBundle.DefaultSource, entries)]);

        var memory = bundle.GetMemory(Upstream, workers: 1);

        Assert.Equal(expected, memory.Objects);
        Assert.Equal(200 + ArchiveWriter.GetMaxMemory(bundle.Request.Recipe, 1), memory.Needed);
    }

    [Fact]
    public void Ranges_need_memory_for_the_source_with_the_most_parts()
    {
        Assert.Equal(0, Create(TestBundle.DefaultSource).GetMemory(Upstream, 1).Ranges);

        Assert.Equal(8000, Create(TestBundle.Source("a", parallelRanges: 4), TestBundle.Source("b", parallelRanges: 8)).GetMemory(Upstream, 1).Ranges);
    }

    [Fact]
    public void A_folder_may_hold_any_number_of_objects_so_all_memory_is_needed_to_read_ahead()
    {
        var entry = new ResolvedEntry(0, new RequestedEntry("s/x/"), new ObjectRequest(TestBundle.DefaultSource, "x/", TestClient.Create()));
        var folder = new ResolvedBundle(TestBundle.Request(), [entry]);

        Assert.True(folder.HasFolders);
        Assert.Equal(1600, folder.GetMemory(Upstream, 1).Objects);
        Assert.False((folder with { Entries = [entry with { IsOmitted = true }] }).HasFolders);
    }

    [Fact]
    public void What_a_manifest_declares_is_known_but_was_not_checked()
    {
        var declared = Resolve(new RequestedEntry("s/a", Size: 5, ETag: "\"v\"")).Declared!;
        var nothing = Resolve(new RequestedEntry("s/a", "name", Sha256: new byte[32])).Declared;

        Assert.Equal((5, "\"v\"", DateTimeOffset.UnixEpoch, true), (declared.Size, declared.ETag, declared.Modified, declared.IsDeclared));
        Assert.Null(nothing);
    }

    [Fact]
    public void A_planned_entry_begins_with_what_the_client_wrote()
    {
        var entry = PlannedEntry.From(Resolve(new RequestedEntry("s/a", "name", 5, null, [1])));

        Assert.Equal((4, "s/a", "name", 5L), (entry.Index, entry.Id, entry.Name, entry.Head!.Size!.Value));
        Assert.Equal([1], entry.Sha256!);
        Assert.False(entry.IsChecked);
        Assert.False(entry.IsMissing);
    }

    private static ResolvedEntry Resolve(RequestedEntry entry) => new(4, entry, new ObjectRequest(TestBundle.DefaultSource, "a", TestClient.Create()));

    private static ResolvedBundle Create(params Source[] sources) => new(
        TestBundle.Request(format: ArchiveFormat.TarGz),
        [.. sources.Select((source, i) => new ResolvedEntry(i, new RequestedEntry($"{i}"), new ObjectRequest(source, $"{i}", TestClient.Create())))]);
}
