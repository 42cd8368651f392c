using System.Diagnostics.Metrics;

namespace Gateway.Storage.Telemetry;

/// <summary>
/// Publishes what bundles read from each destination, and the state that it is in. The labels are the names in the configuration, never a host or a key.
/// Every configured destination is published from the start, with zeros.
/// </summary>
internal sealed class UpstreamMetrics
{
    private readonly UpstreamStatus _status;

    public UpstreamMetrics(IMeterFactory factory, UpstreamStatus status)
    {
        _status = status;
        var meter = factory.Create(GatewayMeter.Name);
        meter.CreateObservableCounter("gateway.upstream.requests", ObserveRequests, "{request}", "Requests of bundles to storage, by result.");
        meter.CreateObservableCounter("gateway.upstream.bytes", () => Observe(static status => status.Bytes), "By", "Bytes of objects that bundles read from storage.");
        meter.CreateObservableCounter("gateway.upstream.retries", () => Observe(static status => status.Retries), "{request}", "Requests that failed and were repeated, by the destination that failed.");
        meter.CreateObservableCounter("gateway.upstream.resumes", () => Observe(static status => status.Resumes), "{request}", "Bodies that broke or were closed early and were continued, by the destination that they came from.");
        meter.CreateObservableCounter("gateway.upstream.broken", () => Observe(static status => status.Broken), "{request}", "Bodies that broke, stalled or were too slow, whether they were continued or not.");
        meter.CreateObservableGauge("gateway.upstream.concurrency_limit", ObserveLimits, "{request}", "Limit of concurrent requests to a destination that is overloaded or has a fixed limit.");
        meter.CreateObservableGauge("gateway.upstream.breaker", () => Observe(static status => status.IsBreakerOpen ? 1 : 0), null, "1 while the circuit breaker refuses requests to a destination that failed too often, otherwise 0.");
        meter.CreateObservableGauge("gateway.upstream.healthy", () => Observe(static status => status.IsHealthy ? 1 : 0), null, "1 if the health checks of the cluster consider the destination usable, otherwise 0.");
    }

    private IEnumerable<Measurement<long>> Observe(Func<DestinationStatus, long> get) => _status.Read().Select(status => new Measurement<long>(get(status), GetTags(status)));

    private IEnumerable<Measurement<long>> ObserveRequests() => _status.Read().SelectMany(status => new[]
    {
        new Measurement<long>(status.Answered, [.. GetTags(status), new("result", "ok")]),
        new Measurement<long>(status.Failed, [.. GetTags(status), new("result", "failed")]),
    });

    private IEnumerable<Measurement<double>> ObserveLimits() =>
        _status.Read().Where(status => status.ConcurrencyLimit is not null).Select(status => new Measurement<double>(status.ConcurrencyLimit!.Value, GetTags(status)));

    private static KeyValuePair<string, object?>[] GetTags(DestinationStatus status) => [new("source", status.Source), new("destination", status.Destination)];
}
