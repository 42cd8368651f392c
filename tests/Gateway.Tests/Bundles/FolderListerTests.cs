using System.Text.Json;
using Gateway.Bundles;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;

namespace Gateway.Tests.Bundles;

public sealed class FolderListerTests : IDisposable
{
    private readonly TestListing _listing = new();

    public void Dispose() => _listing.Dispose();

    [Fact]
    public async Task A_page_has_the_folders_and_objects_of_one_level()
    {
        _listing.ListAsync = (_, _) => Task.FromResult<ListingPage?>(new([TestListing.Listed("b", 5), TestListing.Listed("a")], ["sub/", "other/"], "t"));

        var document = await ListAsync("s/x/");

        Assert.Equal(("s/x/", 0, "t"), (document.Id, document.Omitted, document.Next));
        Assert.Equal([new("s/x/sub/", "sub"), new FolderDocument.Folder("s/x/other/", "other")], document.Folders);
        Assert.Equal([new("s/x/b", "b", 5, TestBundle.Modified, "\"v\""), new FolderDocument.Item("s/x/a", "a", 1, TestBundle.Modified, "\"v\"")], document.Objects);
    }

    [Fact]
    public async Task Keys_that_no_archive_can_hold_are_counted_and_markers_are_not()
    {
        _listing.ListAsync = (_, _) => Task.FromResult<ListingPage?>(new(
            [TestListing.Listed("", 0), TestListing.Listed("marker/", 0), TestListing.Listed("dir", 0) with { IsDirectory = true }, TestListing.Listed("a\u0001"), TestListing.Listed("a")], ["../", "/", "ok/"], null));

        var document = await ListAsync("s/x/");

        Assert.Equal((3, "a", "ok"), (document.Omitted, Assert.Single(document.Objects).Name, Assert.Single(document.Folders).Name));
    }

    [Theory]
    [InlineData("s/x/", null, false, null, true)]
    [InlineData("s/x/", null, true, null, true)]
    [InlineData("s/x/", "t", true, null, false)]
    [InlineData("s/x/", null, true, "t", false)]
    [InlineData("s/", null, true, null, false)]
    public async Task A_folder_with_nothing_in_it_is_a_404_unless_it_is_the_source(string id, string? after, bool isKnown, string? next, bool isMissing)
    {
        _listing.ListAsync = (_, _) => Task.FromResult(isKnown ? TestListing.Page() with { Next = next } : null);

        var problem = await Record.ExceptionAsync(() => ListAsync(id, after)) as BundleProblemException;

        Assert.Equal(isMissing ? 404 : null, problem?.StatusCode);
        Assert.Equal(isMissing ? [new EntryError(0, id, $"nothing under '{id}'")] : null, problem?.Errors);
    }

    [Fact]
    public async Task A_folder_that_holds_only_its_marker_is_empty()
    {
        _listing.ListAsync = (_, _) => Task.FromResult<ListingPage?>(TestListing.Page(TestListing.Listed("", 0)));

        var document = await ListAsync("s/x/");

        Assert.Empty(document.Objects);
    }

    [Fact]
    public async Task A_failure_of_storage_names_the_folder()
    {
        _listing.ListAsync = (_, _) => throw new StorageException(FailureReason.Denied);

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ListAsync("s/x/"));

        Assert.Equal((502, new EntryError(0, "s/x/", FailureReason.Denied.Text)), (problem.StatusCode, problem.Errors.Single()));
    }

    [Fact]
    public void Without_an_id_the_sources_are_the_folders_in_the_order_of_their_names()
    {
        var document = FolderLister.Describe([TestBundle.Source("b"), TestBundle.Source("B"), TestBundle.Source("a")]);

        Assert.Equal([new("B/", "B"), new("a/", "a"), new FolderDocument.Folder("b/", "b")], document.Folders);
        Assert.Equal(("", 0, null), (document.Id, document.Objects.Count, document.Next));
    }

    [Fact]
    public async Task In_JSON_omitted_keys_are_mentioned_only_if_there_are_any()
    {
        _listing.ListAsync = (_, _) => Task.FromResult<ListingPage?>(TestListing.Page(TestListing.Listed("a") with { ETag = null }));

        var json = JsonSerializer.SerializeToElement(await ListAsync("s/x/"), JsonSerializerOptions.Web);

        Assert.Equal("""{"id":"s/x/","folders":[],"objects":[{"id":"s/x/a","name":"a","size":1,"modified":"2026-01-02T03:04:05+00:00","etag":null}],"next":null}""", json.GetRawText());
    }

    private Task<FolderDocument> ListAsync(string id, string? after = null)
    {
        _listing.Run.Bundle = _listing.Bundle(new RequestedEntry(id));
        return new FolderLister(_listing.Store).ListAsync(_listing.Run, after);
    }
}
