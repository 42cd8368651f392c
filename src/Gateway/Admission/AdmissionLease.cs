using System.Diagnostics;
using Gateway.Storage.Objects;
using Gateway.Telemetry;

namespace Gateway.Admission;

/// <summary>The right to run, and for an archive also its memory. Disposing it returns both.</summary>
internal sealed class AdmissionLease(IDisposable permit, Drain drain, BundleMetrics metrics) : IDisposable
{
    private MemoryLease? _memory;

    /// <summary>What of the memory may be filled ahead; null for a metadata request.</summary>
    public PrefetchBudget? Prefetch { get; private set; }

    /// <summary>Adds the memory of an archive.</summary>
    public void Add(MemoryLease memory, PrefetchBudget prefetch) => (_memory, Prefetch) = (memory, prefetch);

    public void Dispose()
    {
        Debug.Assert(Prefetch is null or { IsWhole: true }, "A buffer was rented and not returned.");
        _memory?.Dispose();
        metrics.Stopped();
        drain.Leave();
        permit.Dispose();
    }
}
