using Gateway.Storage.Failures;
using Gateway.Telemetry;

namespace Gateway.Tests.Telemetry;

public sealed class BundleMetricsTests : IDisposable
{
    private readonly TestMetrics _metrics = new();

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void An_outcome_is_counted_with_its_purpose_its_format_its_status_and_who_is_at_fault()
    {
        _metrics.Bundles.Ended(new BundleOutcome("Archive", "zip", 200, FailureReason.BodyBroken) { BytesIn = 10, BytesOut = 7 });
        _metrics.Bundles.Ended(new BundleOutcome("Archive", "zip", 200, FailureReason.BodyBroken) { BytesIn = 1, BytesOut = 2 });

        Assert.Equal((2L, 11L, 9L), (_metrics["gateway.bundle.outcomes"], _metrics["gateway.bundle.upstream.bytes"], _metrics["gateway.bundle.client.bytes"]));
        Assert.Contains("gateway.bundle.outcomes purpose=Archive format=zip status=200 origin=Upstream reason=BodyBroken", _metrics.Tags);
    }

    [Fact]
    public void A_request_that_could_not_be_read_has_no_format_and_one_without_a_response_no_status()
    {
        _metrics.Bundles.Ended(new BundleOutcome("Archive", null, null, FailureReason.ClientGone));

        Assert.Contains("gateway.bundle.outcomes purpose=Archive format=none status=none origin=Client reason=ClientGone", _metrics.Tags);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void Size_and_waits_are_those_of_archives_that_were_begun(bool hasBegun, int count)
    {
        _metrics.Bundles.Ended(new BundleOutcome("Archive", "tar", 200, FailureReason.None) { Entries = 3, FirstByte = hasBegun ? TimeSpan.FromSeconds(1) : null, Elapsed = TimeSpan.FromSeconds(2) });

        Assert.Equal(count, _metrics.Tags.Count(tags => tags == "gateway.bundle.entries format=tar"));
        Assert.Equal(count * 3, _metrics["gateway.bundle.entries"]);
    }

    [Fact]
    public void Running_and_waiting_bundles_are_observed()
    {
        _metrics.Bundles.ObserveQueue(() => 3, limit: 5);
        _metrics.Bundles.ObserveMemory(() => 10, limit: 20);

        _metrics.Bundles.Started();
        _metrics.Bundles.Started();
        _metrics.Bundles.Stopped();

        Assert.Equal((1L, 3L, 5L), (_metrics["gateway.bundle.active"], _metrics["gateway.bundle.queued"], _metrics["gateway.bundle.limit"]));
        Assert.Equal((10L, 20L), (_metrics["gateway.memory.leased"], _metrics["gateway.memory.limit"]));
    }

    [Fact]
    public void Every_reason_is_published_as_0_with_every_format()
    {
        _metrics.Bundles.PublishZeros("Archive", ["tar", "zip"]);

        Assert.Equal(0, _metrics["gateway.bundle.outcomes"]);
        Assert.All(FailureReason.All, reason => Assert.Contains($"gateway.bundle.outcomes purpose=Archive format=zip status={reason.StatusCode} origin={reason.Origin} reason={reason.Name}", _metrics.Tags));
        Assert.Contains("gateway.resume.lookups result=hit", _metrics.Tags);
        Assert.Contains("gateway.configuration.reloads result=refused", _metrics.Tags);
    }
}
