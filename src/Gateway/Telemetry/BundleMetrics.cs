using System.Diagnostics.Metrics;
using Gateway.Storage.Failures;

namespace Gateway.Telemetry;

/// <summary>Counts how bundles ended. The meter's name is <c>Gateway</c>; whoever listens exports it.</summary>
internal sealed class BundleMetrics
{
    public const string MeterName = "Gateway";

    private readonly Meter _meter;
    private readonly Counter<long> _outcomes;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private readonly UpDownCounter<long> _active;

    public BundleMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(MeterName);
        _outcomes = _meter.CreateCounter<long>("gateway.bundle.outcomes", "{bundle}", "Bundles by how they ended: the reason, and who is at fault.");
        _bytesIn = _meter.CreateCounter<long>("gateway.bundle.upstream.bytes", "By", "Bytes of objects taken from storage.");
        _bytesOut = _meter.CreateCounter<long>("gateway.bundle.client.bytes", "By", "Bytes of archives given to clients.");
        _active = _meter.CreateUpDownCounter<long>("gateway.bundle.active", "{bundle}", "Bundles being sent.");
    }

    /// <summary>Has whoever listens ask how many bundles wait for a turn.</summary>
    public void ObserveQueue(Func<long> queued) =>
        _meter.CreateObservableUpDownCounter("gateway.bundle.queued", queued, "{bundle}", "Bundles waiting for a turn.");

    public void Started() => _active.Add(1);

    public void Stopped() => _active.Add(-1);

    public void Ended(string purpose, FailureReason reason, long bytesIn, long bytesOut)
    {
        _outcomes.Add(1, new("purpose", purpose), new("origin", reason.Origin.ToString()), new("reason", reason.Name));
        _bytesIn.Add(bytesIn);
        _bytesOut.Add(bytesOut);
    }
}
