using Gateway.Storage.Failures;

namespace Gateway.Tests.Telemetry;

public sealed class BundleMetricsTests : IDisposable
{
    private readonly TestMetrics _metrics = new();

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void An_outcome_is_counted_with_its_purpose_and_who_is_at_fault()
    {
        _metrics.Bundles.Ended("Archive", FailureReason.BodyBroken, bytesIn: 10, bytesOut: 7);
        _metrics.Bundles.Ended("Archive", FailureReason.BodyBroken, bytesIn: 1, bytesOut: 2);

        Assert.Equal((2L, 11L, 9L), (_metrics["gateway.bundle.outcomes"], _metrics["gateway.bundle.upstream.bytes"], _metrics["gateway.bundle.client.bytes"]));
        Assert.Equal("purpose=Archive origin=Upstream reason=BodyBroken", _metrics.LastTags);
    }

    [Fact]
    public void Running_and_waiting_bundles_are_observed()
    {
        _metrics.Bundles.ObserveQueue(() => 3);

        _metrics.Bundles.Started();
        _metrics.Bundles.Started();
        _metrics.Bundles.Stopped();

        Assert.Equal((1L, 3L), (_metrics["gateway.bundle.active"], _metrics["gateway.bundle.queued"]));
    }
}
