using System.Diagnostics.Metrics;
using Gateway.Storage;
using Gateway.Storage.Failures;

namespace Gateway.Telemetry;

/// <summary>Counts the outcomes of bundles. The meter's name is <c>Gateway</c>.</summary>
internal sealed class BundleMetrics
{
    private readonly Meter _meter;
    private readonly Counter<long> _outcomes;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private readonly UpDownCounter<long> _active;

    public BundleMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(GatewayMeter.Name);
        _outcomes = _meter.CreateCounter<long>("gateway.bundle.outcomes", "{bundle}", "Bundles by outcome: the reason, and who is at fault.");
        _bytesIn = _meter.CreateCounter<long>("gateway.bundle.upstream.bytes", "By", "Bytes of objects read from storage.");
        _bytesOut = _meter.CreateCounter<long>("gateway.bundle.client.bytes", "By", "Bytes of archives sent to clients.");
        _active = _meter.CreateUpDownCounter<long>("gateway.bundle.active", "{bundle}", "Requests for bundles, plans and links that have a permit.");
    }

    /// <summary>Publishes how many bundles wait for a permit.</summary>
    public void ObserveQueue(Func<long> queued) =>
        _meter.CreateObservableUpDownCounter("gateway.bundle.queued", queued, "{bundle}", "Bundles waiting for a permit.");

    public void Started() => _active.Add(1);

    public void Stopped() => _active.Add(-1);

    public void Ended(string purpose, FailureReason reason, long bytesIn, long bytesOut)
    {
        _outcomes.Add(1, new("purpose", purpose), new("origin", reason.Origin.ToString()), new("reason", reason.Name));
        _bytesIn.Add(bytesIn);
        _bytesOut.Add(bytesOut);
    }
}
