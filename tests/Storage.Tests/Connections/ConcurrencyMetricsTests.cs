using System.Diagnostics.Metrics;
using Gateway.Storage.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Connections;

public sealed class ConcurrencyMetricsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrencyMetrics _metrics;

    public ConcurrencyMetricsTests() => _metrics = new ConcurrencyMetrics(_services.GetRequiredService<IMeterFactory>());

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Only_a_destination_that_has_a_limit_is_published()
    {
        var (fixedLimit, adaptive) = (new ConcurrencyLimit(7, _time), new ConcurrencyLimit(null, _time));
        _metrics.Add("c", "http://one/", fixedLimit);
        _metrics.Add("c", "http://two/", adaptive);

        Assert.Equal(["c http://one/ 7"], Read());
        GC.KeepAlive((fixedLimit, adaptive));
    }

    [Fact]
    public void A_new_limit_of_a_destination_replaces_the_old_one()
    {
        var (old, current) = (new ConcurrencyLimit(7, _time), new ConcurrencyLimit(9, _time));
        _metrics.Add("c", "http://one/", old);
        _metrics.Add("c", "http://one/", current);

        Assert.Equal(["c http://one/ 9"], Read());
        GC.KeepAlive((old, current));
    }

    private List<string> Read()
    {
        var values = new List<string>();
        var factory = _services.GetRequiredService<IMeterFactory>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == factory)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => values.Add($"{tags[0].Value} {tags[1].Value} {value:0}"));
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }
}
