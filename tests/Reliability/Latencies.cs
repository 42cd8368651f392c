using System.Collections.Concurrent;
using System.Globalization;

namespace Reliability;

/// <summary>A set of durations.</summary>
internal sealed class Latencies
{
    private readonly ConcurrentBag<double> _milliseconds = [];

    public int Count => _milliseconds.Count;

    public void Add(TimeSpan time) => _milliseconds.Add(time.TotalMilliseconds);

    /// <summary>Percentile in milliseconds.</summary>
    public double Percentile(double part)
    {
        var sorted = _milliseconds.Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[Math.Max(0, (int)Math.Ceiling(part * sorted.Length) - 1)];
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Count}, median {Percentile(0.5):0.0} ms, 99 % within {Percentile(0.99):0.0} ms, longest {Percentile(1):0.0} ms");
}
