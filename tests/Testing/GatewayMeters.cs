using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Testing;

/// <summary>What the meters of one gateway have counted.</summary>
internal sealed class GatewayMeters : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _sums = new();
    private readonly ConcurrentDictionary<string, long> _outcomes = new();
    private readonly ConcurrentDictionary<string, double> _gauges = new();
    private long _requests;

    public GatewayMeters(IServiceProvider services)
    {
        var scope = services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, scope))
            {
                _sums.TryAdd(instrument.Name, 0);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            _sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value);
            if (instrument.Name == "gateway.bundle.outcomes" && value > 0)
            {
                _outcomes.AddOrUpdate($"{Tag(tags, "origin")}/{Tag(tags, "reason")}", value, (_, sum) => sum + value);
            }
        });
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            if (instrument is ObservableGauge<double>)
            {
                _gauges[$"{instrument.Name} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}"] = value;
            }

            if (instrument.Name == "http.server.request.duration" && Tag(tags, "http.route")?.StartsWith("/bundle", StringComparison.Ordinal) == true && Tag(tags, "http.request.method") != "OPTIONS")
            {
                Interlocked.Increment(ref _requests);
            }
        });
        _listener.Start();
    }

    /// <summary>Requests for bundles, plans and links that have ended, as the server counts them, without preflights of browsers.</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Outcomes by origin and reason.</summary>
    public IReadOnlyDictionary<string, long> Outcomes => _outcomes;

    /// <summary>The sum of an instrument, which must exist.</summary>
    public long this[string instrument]
    {
        get
        {
            Assert.True(_sums.TryGetValue(instrument, out var sum), $"the instrument {instrument} does not exist");
            return sum;
        }
    }

    /// <summary>The value of an observable instrument.</summary>
    public long Ask(string instrument)
    {
        _sums[instrument] = 0;
        _listener.RecordObservableInstruments();
        return this[instrument];
    }

    /// <summary>The current values of all gauges, by name and tags.</summary>
    public IReadOnlyDictionary<string, double> ReadGauges()
    {
        _gauges.Clear();
        _listener.RecordObservableInstruments();
        return new Dictionary<string, double>(_gauges);
    }

    public void Dispose() => _listener.Dispose();

    private static string? Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
    {
        foreach (var (key, value) in tags)
        {
            if (key == name)
            {
                return value?.ToString();
            }
        }

        return null;
    }
}
