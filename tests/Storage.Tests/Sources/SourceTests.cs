using Microsoft.AspNetCore.Http;

namespace Storage.Tests.Sources;

public class SourceTests
{
    [Theory]
    [InlineData("a.txt", "/s/a.txt")]
    [InlineData("a b/ü%2F", "/s/a b/ü%2F")]
    [InlineData("", "/s/")]
    public void A_request_is_addressed_as_if_routing_had_matched_it(string key, string path)
    {
        var source = TestSource.Create();
        var context = new DefaultHttpContext();

        source.Address(context, key);

        Assert.Equal(path, context.Request.Path.Value);
        Assert.Equal(key, context.Request.RouteValues["key"]);
        Assert.Same(source.Endpoint, context.GetEndpoint());
    }

    [Fact]
    public void The_first_object_is_expected_to_be_small_and_later_ones_like_the_last()
    {
        var source = TestSource.Create();
        Assert.Equal(32 * 1024, source.LastSize);

        source.LastSize = 5_000_000_000;

        Assert.Equal(5_000_000_000, source.LastSize);
    }

    [Fact]
    public void Only_available_destinations_are_listed() =>
        Assert.Equal(["a", "b"], TestSource.Create(destinations: ["a", "b"]).AvailableDestinations.Select(destination => destination.DestinationId));
}
