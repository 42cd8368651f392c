using Gateway.Planning;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Storage.Sources;
using Testing;

namespace Gateway.Tests.Planning;

public class EntryProbeTests
{
    private static readonly byte[] Sha256 = [.. Enumerable.Repeat((byte)1, 32)];

    [Theory]
    [InlineData(null, null, false, null)]
    [InlineData(100L, "\"v1\"", true, null)]
    [InlineData(99L, null, false, "has 100 bytes, the manifest says 99")]
    [InlineData(null, "\"v2\"", false, "has another etag than the manifest says")]
    [InlineData(99L, "\"v2\"", false, "has 100 bytes, the manifest says 99")]
    public void What_differs_from_the_manifest_is_named(long? size, string? etag, bool hasHash, string? expected)
    {
        var probe = Create(new RequestedEntry("s/a", null, size, etag, hasHash ? Sha256 : null));

        Assert.Equal(expected, probe.FindDifference(() => Sha256));
    }

    [Fact]
    public void A_hash_is_compared_only_if_it_is_known()
    {
        var probe = Create(new RequestedEntry("s/a", Sha256: Sha256));

        Assert.Null(probe.FindDifference(() => null));
        Assert.Equal("has another sha256 than the manifest says", probe.FindDifference(() => new byte[32]));
    }

    [Fact]
    public void Without_a_hash_in_the_manifest_none_is_computed() =>
        Assert.Null(Create(new RequestedEntry("s/a")).FindDifference(() => throw new InvalidOperationException("asked")));

    [Fact]
    public void The_plan_gets_what_was_learned()
    {
        var probe = Create(new RequestedEntry("s/a", "name", Sha256: Sha256));
        probe.IsMissing = true;

        var planned = probe.ToPlanned();

        Assert.Equal((5, "s/a", "name", true, true), (planned.Index, planned.Id, planned.Name, planned.IsChecked, planned.IsMissing));
        Assert.Same(probe.Head, planned.Head);
        Assert.Equal(new(5, "s/a", "is odd"), probe.ToError("is odd"));
    }

    [Fact]
    public void What_a_listing_has_reported_needs_no_request()
    {
        var listed = TestBundle.Head() with { IsFromListing = true };
        var entry = new ResolvedEntry(5, new RequestedEntry("s/x/a"), new ObjectRequest(TestBundle.DefaultSource, "x/a", TestClient.Create())) { RequestIndex = 2, Listed = listed };

        var (probe, omitted) = (new EntryProbe(entry), new EntryProbe(entry with { Listed = null, IsOmitted = true }));

        Assert.Same(listed, probe.Head);
        Assert.Equal((false, null, true), (probe.IsMissing, omitted.Head, omitted.IsMissing));
        Assert.Equal((2, 2), (probe.ToError("is odd").Index, probe.ToPlanned().RequestIndex));
    }

    private static EntryProbe Create(RequestedEntry entry) =>
        new(new ResolvedEntry(5, entry, new ObjectRequest(TestBundle.DefaultSource, "a", TestClient.Create()))) { Head = TestBundle.Head() };
}
