using Gateway.Admission;
using Gateway.Bundles;
using Gateway.Doors;
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
    private readonly ListDoor _door;

    // Who may list is decided by the route's policy, which needs a host.
    public ListDoorTests() => _door = new ListDoor(
        new BundleRequestReader(Options.Create(new LimitOptions()), Options.Create(new CompressionOptions()), Options.Create(new NameOptions()), new FakeTimeProvider()), null!, new FolderLister(_listing.Store));

    public void Dispose() => _listing.Dispose();

    [Theory]
    [InlineData("?id=s/x/", "s/x/")]
    [InlineData("?id=s%2Fx%20y%2F&after=t", "s/x y/")]
    [InlineData("?after=t&id=s/", "s/")]
    [InlineData("?id=s/a%2Bb/", "s/a+b/")]
    public async Task The_id_is_a_request_for_one_folder(string query, string id)
    {
        _listing.Http.Request.QueryString = new QueryString(query);

        var (request, _) = await _door.ReadAsync(_listing.Run);

        Assert.Equal(new RequestedEntry(id), Assert.Single(request.Entries));
        Assert.True(request.Entries[0].IsFolder);
    }

    [Fact]
    public async Task Without_an_id_the_request_has_no_entries() => Assert.Empty((await _door.ReadAsync(_listing.Run)).Request.Entries);

    [Theory]
    [InlineData("?id=s/x", "id: must name a folder and end in a slash.")]
    [InlineData("?id=", "id: must name a folder and end in a slash.")]
    [InlineData("?after=t", "after: needs the id of a folder.")]
    [InlineData("?id=s/x/&after=", "after: the 'next' of another page, at most 4096 bytes.")]
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
    public async Task A_query_that_names_no_folder_is_a_400(string query, string title)
    {
        _listing.Http.Request.QueryString = new QueryString(query);

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => _door.ReadAsync(_listing.Run));

        Assert.Equal((400, title), (problem.StatusCode, problem.Message));
    }

    [Theory]
    [InlineData(4096, true)]
    [InlineData(4097, false)]
    public async Task The_token_of_a_page_has_at_most_4_KiB(int length, bool isValid)
    {
        _listing.Http.Request.QueryString = new QueryString($"?id=s/x/&after={new string('t', length)}");

        var problem = await Record.ExceptionAsync(() => _door.ReadAsync(_listing.Run));

        Assert.Equal(isValid, problem is null);
    }

    [Fact]
    public async Task The_page_after_a_token_is_requested_one_level_deep()
    {
        _listing.Http.Request.QueryString = new QueryString("?id=s/x/&after=t%2F%2B%3D");
        _listing.Run.Bundle = _listing.Bundle((await _door.ReadAsync(_listing.Run)).Request);

        await _door.ListAsync(_listing.Run);

        Assert.Equal([("x/", new ListingRequest(IsOneLevel: true, 1000, "t/+="))], _listing.Requests);
    }
}
