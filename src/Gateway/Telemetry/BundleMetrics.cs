using System.Diagnostics.Metrics;
using System.Globalization;
using Gateway.Archiving;
using Gateway.Storage;
using Gateway.Storage.Failures;

namespace Gateway.Telemetry;

/// <summary>The metrics of requests for bundles, plans and links. The meter's name is <c>Gateway</c>, and every label has few values.</summary>
internal sealed class BundleMetrics
{
    // From a few milliseconds to half a day, and from 1 KiB to 16 TiB.
    private static readonly InstrumentAdvice<double> Seconds = new() { HistogramBucketBoundaries = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200] };
    private static readonly InstrumentAdvice<long> Bytes = new() { HistogramBucketBoundaries = [.. Enumerable.Range(0, 18).Select(power => 1L << (10 + (2 * power)))] };
    private static readonly InstrumentAdvice<long> Counts = new() { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000] };

    private readonly Meter _meter;
    private readonly Counter<long> _outcomes;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _lookups;
    private readonly Counter<long> _links;
    private readonly Counter<long> _reloads;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstByte;
    private readonly Histogram<double> _upstreamWait;
    private readonly Histogram<double> _clientWait;
    private readonly Histogram<long> _size;
    private readonly Histogram<long> _entries;

    public BundleMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(GatewayMeter.Name);
        _outcomes = _meter.CreateCounter<long>("gateway.bundle.outcomes", "{bundle}", "Requests that have ended: the reason, and who is at fault.");
        _bytesIn = _meter.CreateCounter<long>("gateway.bundle.upstream.bytes", "By", "Bytes of objects read from storage.");
        _bytesOut = _meter.CreateCounter<long>("gateway.bundle.client.bytes", "By", "Bytes of archives sent to clients.");
        _active = _meter.CreateUpDownCounter<long>("gateway.bundle.active", "{bundle}", "Requests for bundles, plans and links that have a permit.");
        _lookups = _meter.CreateCounter<long>("gateway.resume.lookups", "{lookup}", "Requests for a later part of an archive, by whether a checkpoint was known that saves reading the beginning.");
        _links = _meter.CreateCounter<long>("gateway.links.created", "{link}", "Links that were created.");
        _reloads = _meter.CreateCounter<long>("gateway.configuration.reloads", "{reload}", "Changes of the configuration file since the start, by whether they were applied.");
        _duration = _meter.CreateHistogram("gateway.bundle.duration", "s", "Time from the arrival of a request to its end.", null, Seconds);
        _firstByte = _meter.CreateHistogram("gateway.bundle.first_byte.duration", "s", "Time from the arrival of a request to the first byte of its archive.", null, Seconds);
        _upstreamWait = _meter.CreateHistogram("gateway.bundle.upstream_wait", "s", "Time in which an archive waited for storage.", null, Seconds);
        _clientWait = _meter.CreateHistogram("gateway.bundle.client_wait", "s", "Time in which an archive waited for its client.", null, Seconds);
        _size = _meter.CreateHistogram("gateway.bundle.size", "By", "Bytes of an archive, or of a part of it, that were sent.", null, Bytes);
        _entries = _meter.CreateHistogram("gateway.bundle.entries", "{entry}", "Entries of an archive.", null, Counts);
        _meter.CreateObservableCounter("gateway.bundle.compression", () => CompressionStatistics.Time.TotalSeconds, "s", "Time that threads have spent compressing.");
    }

    /// <summary>Publishes how many bundles wait for a permit, and how many may run.</summary>
    public void ObserveQueue(Func<long> queued, long limit)
    {
        _meter.CreateObservableUpDownCounter("gateway.bundle.queued", queued, "{bundle}", "Bundles waiting for a permit.");
        _meter.CreateObservableGauge("gateway.bundle.limit", () => limit, "{bundle}", "Bundles that may run at the same time.");
    }

    /// <summary>Publishes the memory of all requests.</summary>
    public void ObserveMemory(Func<long> leased, long limit)
    {
        _meter.CreateObservableUpDownCounter("gateway.memory.leased", leased, "By", "Memory that requests and archives hold.");
        _meter.CreateObservableGauge("gateway.memory.limit", () => limit, "By", "Memory that requests and archives may hold.");
    }

    public void Started() => _active.Add(1);

    public void Stopped() => _active.Add(-1);

    /// <summary>A later part of an archive is requested.</summary>
    /// <param name="isHit">Whether its beginning need not be read.</param>
    public void LookedUp(bool isHit) => _lookups.Add(1, Result(isHit ? "hit" : "miss"));

    public void LinkCreated() => _links.Add(1);

    /// <summary>The configuration file has changed.</summary>
    /// <param name="isApplied">Whether the change is in effect; otherwise the previous configuration is.</param>
    public void Reloaded(bool isApplied) => _reloads.Add(1, Result(isApplied ? "applied" : "refused"));

    /// <summary>A request has ended.</summary>
    public void Ended(BundleOutcome outcome)
    {
        _outcomes.Add(1, GetTags(outcome.Purpose, outcome.Format, outcome.Status, outcome.Reason));
        _bytesIn.Add(outcome.BytesIn);
        _bytesOut.Add(outcome.BytesOut);
        KeyValuePair<string, object?> format = new("format", outcome.Format ?? "none");
        _duration.Record(outcome.Elapsed.TotalSeconds, new KeyValuePair<string, object?>("purpose", outcome.Purpose), format);
        if (outcome.FirstByte is { } firstByte)
        {
            _firstByte.Record(firstByte.TotalSeconds, format);
            _upstreamWait.Record(outcome.UpstreamWaited.TotalSeconds, format);
            _clientWait.Record(outcome.ClientWaited.TotalSeconds, format);
            _size.Record(outcome.BytesOut, format);
            _entries.Record(outcome.Entries, format);
        }
    }

    /// <summary>
    /// Publishes every series that can be foreseen as 0. A counter that starts at its first event would show no increase at that event, and an alert on it
    /// would see no data before.
    /// </summary>
    /// <param name="purpose">The purpose whose outcomes are published.</param>
    /// <param name="formats">All formats.</param>
    public void PublishZeros(string purpose, IReadOnlyCollection<string> formats)
    {
        foreach (var reason in FailureReason.All)
        {
            // What fails before the response is known by the status of its reason, and later by that of the response.
            foreach (var status in new[] { reason.StatusCode, StatusCodes.Status200OK }.Distinct())
            {
                foreach (var format in formats)
                {
                    _outcomes.Add(0, GetTags(purpose, format, status, reason));
                }
            }
        }

        _bytesIn.Add(0);
        _bytesOut.Add(0);
        _active.Add(0);
        _links.Add(0);
        foreach (var isGood in new[] { true, false })
        {
            _lookups.Add(0, Result(isGood ? "hit" : "miss"));
            _reloads.Add(0, Result(isGood ? "applied" : "refused"));
        }
    }

    private static KeyValuePair<string, object?>[] GetTags(string purpose, string? format, int? status, FailureReason reason) =>
    [
        new("purpose", purpose),
        new("format", format ?? "none"),
        new("status", status?.ToString(CultureInfo.InvariantCulture) ?? "none"),
        new("origin", reason.Origin.ToString()),
        new("reason", reason.Name),
    ];

    private static KeyValuePair<string, object?> Result(string result) => new("result", result);
}
