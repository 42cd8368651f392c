using System.Globalization;
using Gateway.Admission;
using Gateway.Planning;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Microsoft.Extensions.Options;
using Testing;

namespace Gateway.Tests.Planning;

public sealed class FolderExpanderTests : IDisposable
{
    private readonly TestListing _listing = new();

    public void Dispose() => _listing.Dispose();

    [Fact]
    public async Task Objects_are_in_the_order_of_the_UTF_8_bytes_of_their_keys_at_the_place_of_their_folder()
    {
        _listing.ListAsync = Pages(TestListing.Page([.. new[] { "b", "\uFF5E", "a/z", "😀", "a-", "B1" }.Select(key => TestListing.Listed(key))]));

        var expanded = await ExpandAsync(_listing.Bundle(new("s/1"), new RequestedEntry("s/x/"), new("s/2")));

        Assert.Equal(["s/1", "s/x/B1", "s/x/a-", "s/x/a/z", "s/x/b", "s/x/\uFF5E", "s/x/😀", "s/2"], expanded.Entries.Select(entry => entry.Requested.Id));
        Assert.Equal(Enumerable.Range(0, 8), expanded.Entries.Select(entry => entry.Index));
        Assert.Equal([0, 1, 1, 1, 1, 1, 1, 2], expanded.Entries.Select(entry => entry.RequestIndex));
        Assert.Equal(expanded.Request.Entries, expanded.Entries.Select(entry => entry.Requested));
    }

    [Fact]
    public async Task Every_page_is_requested_with_the_token_of_the_one_before()
    {
        _listing.ListAsync = Pages(TestListing.Page(TestListing.Listed("b")) with { Next = "t1" }, TestListing.Page() with { Next = "t2" }, TestListing.Page(TestListing.Listed("a")));

        var expanded = await ExpandAsync(_listing.Bundle(new RequestedEntry("s/x/")));

        Assert.Equal(["s/x/a", "s/x/b"], expanded.Entries.Select(entry => entry.Requested.Id));
        Assert.Equal([("x/", new(false, 10_000, null)), ("x/", new(false, 10_000, "t1")), ("x/", new ListingRequest(false, 10_000, "t2"))], _listing.Requests);
    }

    [Fact]
    public async Task Markers_of_folders_are_not_objects()
    {
        _listing.ListAsync = Pages(TestListing.Page(TestListing.Listed("", 0), TestListing.Listed("sub/", 0), TestListing.Listed("dir", 0) with { IsDirectory = true }, TestListing.Listed("empty", 0)));

        var expanded = await ExpandAsync(_listing.Bundle(new RequestedEntry("s/x/")));

        Assert.Equal(["s/x/empty"], expanded.Entries.Select(entry => entry.Requested.Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_folder_with_nothing_in_it_is_a_404(bool isKnown)
    {
        _listing.ListAsync = (_, _) => Task.FromResult(isKnown ? TestListing.Page(TestListing.Listed("", 0)) : null);

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle(new("s/1"), new RequestedEntry("s/x/"))));

        Assert.Equal((404, FailureReason.ObjectsMissing), (problem.StatusCode, problem.Reason));
        Assert.Equal([new EntryError(1, "s/x/", "nothing under 's/x/'")], problem.Errors);
    }

    [Fact]
    public async Task With_skip_a_folder_with_nothing_in_it_is_one_omitted_entry()
    {
        _listing.ListAsync = (_, _) => Task.FromResult<ListingPage?>(null);

        var expanded = await ExpandAsync(_listing.Bundle(TestBundle.Request(missing: MissingPolicy.Skip, entries: [new("s/x/"), new("s/1")])));

        Assert.Equal([("s/x/", true), ("s/1", false)], expanded.Entries.Select(entry => (entry.Requested.Id, entry.IsOmitted)));
        Assert.False(expanded.HasFolders);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(2, false)]
    public async Task The_objects_of_all_folders_and_all_other_entries_count(int maxEntries, bool fits)
    {
        _listing.ListAsync = (key, _) => Task.FromResult<ListingPage?>(TestListing.Page(TestListing.Listed("a"), TestListing.Listed("", 0)));

        var problem = await Record.ExceptionAsync(() => ExpandAsync(_listing.Bundle(new("s/x/"), new("s/1"), new RequestedEntry("s/y/")), maxEntries)) as BundleProblemException;

        Assert.Equal(fits ? null : 413, problem?.StatusCode);
        Assert.True(fits || problem!.Message.StartsWith("A bundle holds at most 2 entries; there are more objects under 's/", StringComparison.Ordinal), problem?.Message);
    }

    [Fact]
    public async Task Listing_stops_at_the_first_page_with_an_object_too_many()
    {
        _listing.ListAsync = (_, page) => Task.FromResult<ListingPage?>(TestListing.Page(TestListing.Listed($"{page.Token}a"), TestListing.Listed($"{page.Token}b")) with { Next = page.Token + "t" });

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle(new RequestedEntry("s/x/")), maxEntries: 5));

        Assert.Equal(413, problem.StatusCode);
        Assert.Equal(3, _listing.Requests.Count);
    }

    [Fact]
    public async Task Pages_without_an_end_are_a_failure_of_storage()
    {
        _listing.ListAsync = (_, page) => Task.FromResult<ListingPage?>(TestListing.Page() with { Next = page.Token + "t" });

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle(new RequestedEntry("s/x/")), maxEntries: 2000));

        Assert.Equal((502, FailureReason.InvalidListing), (problem.StatusCode, problem.Reason));
        Assert.Equal("Storage sent too many pages of a listing that hold few objects.", problem.Errors.Single().Reason);
        Assert.InRange(_listing.Requests.Count, 18, 19);
    }

    [Fact]
    public async Task All_folders_of_a_request_share_the_pages_and_a_request_names_at_most_100_folders()
    {
        _listing.ListAsync = (_, page) => Task.FromResult<ListingPage?>(TestListing.Page() with { Next = page.Token + "t" });

        var endless = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle([.. Enumerable.Range(0, 100).Select(i => new RequestedEntry($"s/{i}/"))]), maxEntries: 2000));
        var tooMany = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle([.. Enumerable.Range(0, 101).Select(i => new RequestedEntry($"s/{i}/"))]), maxEntries: 2000));

        Assert.Equal((502, 413), (endless.StatusCode, tooMany.StatusCode));
        Assert.InRange(_listing.Requests.Count, 100, 2 + 16 + 100);
    }

    [Fact]
    public async Task A_page_that_leads_to_itself_is_a_failure_of_storage()
    {
        _listing.ListAsync = (_, _) => Task.FromResult<ListingPage?>(TestListing.Page(TestListing.Listed("a")) with { Next = "t" });

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle(new RequestedEntry("s/x/"))));

        Assert.Equal([new EntryError(0, "s/x/", "Storage sent the same page of a listing twice.")], problem.Errors);
        Assert.Equal(2, _listing.Requests.Count);
    }

    [Fact]
    public async Task A_failure_of_storage_names_the_folder()
    {
        _listing.ListAsync = (key, _) => key == "y/" ? throw new StorageException(FailureReason.Throttled, retryAfter: TimeSpan.FromSeconds(7)) : Task.FromResult<ListingPage?>(TestListing.Page(TestListing.Listed("a")));

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle(new("s/x/"), new RequestedEntry("s/y/"))));

        Assert.Equal((503, "Storage failed."), (problem.StatusCode, problem.Message));
        Assert.Equal([new EntryError(1, "s/y/", "Storage is overloaded.")], problem.Errors);
    }

    [Fact]
    public async Task After_a_failure_no_other_folder_is_listed()
    {
        _listing.ListAsync = (_, _) => throw new StorageException(FailureReason.Throttled);

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle([.. Enumerable.Range(0, 100).Select(i => new RequestedEntry($"s/{i}/"))])));

        Assert.Equal(FailureReason.Throttled, problem.Reason);
        Assert.InRange(_listing.Requests.Count, 1, 8);
    }

    [Fact]
    public async Task After_too_many_objects_no_other_page_is_requested()
    {
        _listing.ListAsync = (_, page) => Task.FromResult<ListingPage?>(TestListing.Page(TestListing.Listed($"{page.Token}a"), TestListing.Listed($"{page.Token}b")) with { Next = page.Token + "t" });

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(_listing.Bundle([.. Enumerable.Range(0, 100).Select(i => new RequestedEntry($"s/{i}/"))]), maxEntries: 7));

        Assert.Equal(413, problem.StatusCode);
        Assert.InRange(_listing.Requests.Count, 1, 8);
    }

    [Fact]
    public async Task Four_pages_are_requested_at_a_time()
    {
        var (running, most) = (0, 0);
        var gate = new Lock();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _listing.ListAsync = async (_, _) =>
        {
            lock (gate)
            {
                most = Math.Max(most, ++running);
            }

            await release.Task;
            lock (gate)
            {
                running--;
            }

            return TestListing.Page(TestListing.Listed("a"));
        };

        var expanding = ExpandAsync(_listing.Bundle([.. Enumerable.Range(0, 20).Select(i => new RequestedEntry($"s/{i}/"))]));
        await Eventually.TrueAsync(() => Volatile.Read(ref most) == 4, "four pages are requested");
        release.SetResult();

        Assert.Equal(20, (await expanding).Entries.Count);
        Assert.Equal(4, most);
    }

    [Fact]
    public async Task The_entries_of_a_folder_need_memory_that_other_requests_may_hold()
    {
        // 4 MiB are for requests, and at most 1 MiB of them for each client.
        using var listing = new TestListing(maxMemory: 16 << 20);
        listing.ListAsync = (_, page) => Task.FromResult<ListingPage?>(
            TestListing.Page([.. Enumerable.Range(0, 100).Select(i => TestListing.Listed(string.Create(CultureInfo.InvariantCulture, $"{page.Token}{i}")))]) with { Next = page.Token + "t" });
        var others = Enumerable.Range(0, 4).Select(i => listing.Memory.Open($"{i}")).ToArray();
        Assert.All(others, other => Assert.Equal(0, other.GrowByEntries(960)));

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(listing.Bundle(new RequestedEntry("s/x/")), listing: listing));

        Assert.Equal((503, FailureReason.LimitReached), (problem.StatusCode, problem.Reason));
        Assert.Equal(3, listing.Requests.Count);
        Array.ForEach(others, other => other.Dispose());
    }

    private Task<ResolvedBundle> ExpandAsync(ResolvedBundle bundle, int maxEntries = 10_000, TestListing? listing = null)
    {
        var used = listing ?? _listing;
        return new FolderExpander(used.Store, Options.Create(new LimitOptions { MaxEntries = maxEntries }), Options.Create(new NameOptions())).ExpandAsync(bundle, used.Run);
    }

    private static Func<string, ListingRequest, Task<ListingPage?>> Pages(params ListingPage[] pages)
    {
        var next = 0;
        return (_, _) => Task.FromResult<ListingPage?>(pages[next++]);
    }
}
