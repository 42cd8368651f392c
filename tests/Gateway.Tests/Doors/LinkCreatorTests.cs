using Gateway.Doors;
using Gateway.Links;
using Gateway.Plans;
using Gateway.Requests;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Doors;

public sealed class LinkCreatorTests : IDisposable
{
    private readonly TestListing _listing = new();
    private readonly TestMetrics _metrics = new();
    private readonly FakeTimeProvider _time = new(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly BundleLinks _links;
    private readonly BundleFields _fields = new(10);

    public LinkCreatorTests()
    {
        var options = Options.Create(new BundleLinkOptions { Keys = { Convert.ToBase64String(new byte[32]) } });
        _links = new BundleLinks(new MemoryLinkStore(options, _time), new LinkKeys(options), options, _time);
    }

    public void Dispose()
    {
        _listing.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task A_pinned_link_keeps_the_versions_that_exist_when_it_is_created()
    {
        _fields.Add(new RequestedEntry("s/a"));
        _fields.Add(new RequestedEntry("s/missing"));
        _fields.Add(new RequestedEntry("s/b", "name", 100));
        _listing.Run.Plan = TestBundle.Plan(Entry("s/a", 0, "v1"), TestBundle.MissingEntry("s/missing", 1), Entry("s/b", 2, "v2"));

        var manifest = await CreateAsync();

        Assert.Equal(
            [("s/a", null, "v1"), ("s/missing", null, null), ("s/b", "name", "v2")],
            manifest.Entries.Select(entry => (entry.Id, entry.GivenName, entry.Version)));
    }

    [Fact]
    public async Task A_folder_is_listed_again_when_the_link_is_used_so_it_keeps_no_versions()
    {
        _fields.Add(new RequestedEntry("s/x/"));
        _fields.Add(new RequestedEntry("s/b"));
        _listing.Run.Plan = TestBundle.Plan(Entry("s/x/a", 0, "v1", 0), Entry("s/x/b", 1, "v2", 0), Entry("s/b", 2, "v3", 1));

        var manifest = await CreateAsync();

        Assert.Equal([("s/x/", null), ("s/b", "v3")], manifest.Entries.Select(entry => (entry.Id, entry.Version)));
    }

    [Fact]
    public async Task A_link_that_is_not_pinned_keeps_no_versions()
    {
        _fields.Add(new RequestedEntry("s/a"));

        var manifest = await CreateAsync();

        Assert.Equal([("s/a", null)], manifest.Entries.Select(entry => (entry.Id, entry.Version)));
    }

    private static PlannedEntry Entry(string id, int index, string version, int? requestIndex = null) =>
        TestBundle.Entry(id, TestBundle.Head() with { Version = version }, index) with { RequestIndex = requestIndex ?? index };

    /// <summary>Creates the link, and reads what it represents.</summary>
    private async Task<BundleFields> CreateAsync()
    {
        var document = await new LinkCreator(null!, null!, _links, _metrics.Bundles, _time).CreateAsync(_listing.Run, _fields);
        var link = await _links.FindAsync(document.Url.Split('/')[^1], CancellationToken.None);
        Assert.Equal(_listing.Run.Plan?.ETag, link.ETag);
        return BundleFields.FromLink(link.Unpack(), 10);
    }
}
