using Gateway.Admission;
using Gateway.Bundles;
using Gateway.Doors;
using Gateway.Links;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Storage.Listings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Doors;

public sealed class ListDoorTests : IDisposable
{
    private readonly TestListing _listing = new();
    private readonly PageTokens _tokens = new(new LinkKeys(Options.Create(new BundleLinkOptions())));
    private readonly ListDoor _door;

    // Who may list is decided by the route's policy, which needs a host.
    public ListDoorTests() => _door = new ListDoor(
        new BundleRequestReader(Options.Create(new LimitOptions()), Options.Create(new CompressionOptions()), Options.Create(new NameOptions()), new FakeTimeProvider()), null!, new FolderLister(_listing.Store), _tokens);

    public void Dispose() => _listing.Dispose();

    [Theory]
    [InlineData("?id=s/x/", "s/x/")]
    [InlineData("?id=s%2Fx%20y%2F&after=t", "s/x y/")]
    [InlineData("?after=t&id=s/", "s/")]
    [InlineData("?id=s/a%2Bb/", "s/a+b/")]
    public void The_id_is_a_request_for_one_folder(string query, string id)
    {
        _listing.Http.Request.QueryString = new QueryString(query);

        var (request, _, _) = _door.Read(_listing.Http);

        Assert.Equal(new RequestedEntry(id), Assert.Single(request.Entries));
        Assert.True(request.Entries[0].IsFolder);
    }

    [Fact]
    public void Without_an_id_the_request_has_no_entries() => Assert.Empty(_door.Read(_listing.Http).Request.Entries);

    [Theory]
    [InlineData("?id=s/x", "id: must name a folder and end in a slash.")]
    [InlineData("?id=", "id: must name a folder and end in a slash.")]
    [InlineData("?after=t", "after: needs the id of a folder.")]
    [InlineData("?id=s/x/&id=s/y/", "id: given more than once.")]
    [InlineData("?id=s/x/&after=a&after=a", "after: given more than once.")]
    [InlineData("?ids=s/x/", "There is no parameter 'ids'. Known: id, after.")]
    [InlineData("?ID=s/x/", "There is no parameter 'ID'. Known: id, after.")]
    [InlineData("?%E2%80%AEx=1", "There is no parameter '\\u{202E}x'. Known: id, after.")]
    [InlineData("?id=s/%FF/", "The parameter 'id' is not UTF-8.")]
    [InlineData("?id=/", "Some entries cannot be bundled.")]
    [InlineData("?id=s/../x/", "Some entries cannot be bundled.")]
    [InlineData("?id=s//", "Some entries cannot be bundled.")]
    [InlineData("?id=s/%252e%252e/", "Some entries cannot be bundled.")]
    public void A_query_that_names_no_folder_is_a_400(string query, string title)
    {
        _listing.Http.Request.QueryString = new QueryString(query);

        var problem = Assert.Throws<BundleProblemException>(() => _door.Read(_listing.Http));

        Assert.Equal((400, title), (problem.StatusCode, problem.Message));
    }

    [Fact]
    public async Task The_page_after_a_token_is_requested_one_level_deep()
    {
        _listing.ListAsync = (_, _) => Task.FromResult<ListingPage?>(TestListing.Page(TestListing.Listed("a")) with { Next = "u" });

        var document = await ListAsync("?id=s/x/&after=" + _tokens.Seal("t/+=", "s/x/"));

        Assert.Equal([("x/", new ListingRequest(IsOneLevel: true, 1000, "t/+="))], _listing.Requests);
        Assert.Equal("u", _tokens.Open(document.Next!, "s/x/"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("t")]
    [InlineData("s/y/")]
    public async Task A_token_of_another_folder_or_none_is_a_400(string after)
    {
        var text = after == "s/y/" ? _tokens.Seal("t", after) : after;

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ListAsync("?id=s/x/&after=" + text));

        Assert.Equal((400, "after: is not the 'next' of a page of this folder."), (problem.StatusCode, problem.Message));
        Assert.Empty(_listing.Requests);
    }

    private Task<FolderDocument> ListAsync(string query)
    {
        _listing.Http.Request.QueryString = new QueryString(query);
        var (request, _, read) = _door.Read(_listing.Http);
        _listing.Run.Bundle = _listing.Bundle(request);
        return _door.ListAsync(_listing.Run, read);
    }
}
