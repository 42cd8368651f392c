using Gateway.Storage.Connections;
using Gateway.Storage.Failures;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Connections;

public class DestinationFailuresTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly DestinationFailures _failures;

    public DestinationFailuresTests() => _failures = new DestinationFailures(_time);

    [Fact]
    public void A_destination_that_cannot_be_reached_counts_every_time() =>
        Assert.All(Enumerable.Range(0, 3), _ => Assert.True(_failures.Count(FailureReason.ConnectionRefused, "/a")));

    [Fact]
    public void A_failure_that_proves_nothing_never_counts()
    {
        Assert.All(Enumerable.Range(0, 10), i => Assert.False(_failures.Count(FailureReason.NotFound, $"/{i}")));

        Assert.True(_failures.Count(FailureReason.BodyBroken, "/0"));
        Assert.False(_failures.Count(FailureReason.BodyBroken, "/0"));
    }

    [Fact]
    public void A_broken_object_counts_once_in_ten_seconds()
    {
        Assert.True(_failures.CountObject("/a"));
        _time.Advance(DestinationFailures.Window - TimeSpan.FromTicks(1));
        Assert.False(_failures.CountObject("/a"));

        _time.Advance(TimeSpan.FromTicks(1));

        Assert.True(_failures.CountObject("/a"));
    }

    [Fact]
    public void From_five_objects_on_every_failure_counts_until_they_are_forgotten()
    {
        Assert.All(Enumerable.Range(0, 4), i => Assert.True(_failures.CountObject($"/{i}")));
        Assert.False(_failures.CountObject("/0"));
        _failures.CountObject("/4");
        Assert.True(_failures.CountObject("/0"));

        _time.Advance(DestinationFailures.Window);

        Assert.True(_failures.CountObject("/0"));
        Assert.False(_failures.CountObject("/0"));
    }

    [Fact]
    public void Paths_differ_by_case()
    {
        Assert.True(_failures.CountObject("/a"));

        Assert.True(_failures.CountObject("/A"));
    }
}
