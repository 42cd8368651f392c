using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.Admission;

/// <summary>
/// One bound for the buffers of all bundles, by the runtime's own limiter, which counts pages of 64 KiB. A bundle leases what its
/// archive needs before it rents any of it, and waits for that; what it may read ahead it gets from what is left.
/// </summary>
internal sealed class BundleMemory : IDisposable
{
    private const int PageSize = 64 * 1024;

    // A bundle that comes takes no more than this part of what is left for reading ahead, so that some is left for the next.
    private const int Share = 4;

    private readonly ConcurrencyLimiter _pages;
    private readonly int _all;
    private readonly int _maxActive;
    private int _active;

    public BundleMemory(IOptions<MemoryOptions> memory, IOptions<LimitOptions> limits)
    {
        _all = (int)Math.Min(memory.Value.Bound / PageSize, int.MaxValue);
        _maxActive = limits.Value.MaxActive;

        // Who waits here holds a place among the active bundles, so they bound the queue.
        _pages = new ConcurrencyLimiter(new() { PermitLimit = _all, QueueLimit = int.MaxValue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
    }

    /// <summary>Bytes that bundles hold now, in whole pages.</summary>
    public long Leased => (_all - _pages.GetStatistics()!.CurrentAvailablePermits) * PageSize;

    /// <summary>Waits for the memory of a bundle.</summary>
    /// <param name="needed">Bytes it cannot do without.</param>
    /// <param name="ahead">Bytes it would like to read ahead.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<MemoryLease> EnterAsync(long needed, long ahead, CancellationToken cancellationToken)
    {
        var pages = (int)Math.Min(Pages(needed), _all);
        var lease = await _pages.AcquireAsync(pages, cancellationToken);
        var others = _maxActive - Interlocked.Increment(ref _active);
        var left = (_pages.GetStatistics()!.CurrentAvailablePermits - ((long)others * pages)) / Share;
        var aheadPages = (int)Math.Clamp(Pages(ahead), 0, Math.Max(left, 0));
        var aheadLease = _pages.AttemptAcquire(aheadPages);
        return new MemoryLease(
            aheadLease.IsAcquired ? Math.Min((long)aheadPages * PageSize, ahead) : 0,
            () =>
            {
                aheadLease.Dispose();
                lease.Dispose();
                Interlocked.Decrement(ref _active);
            });
    }

    public void Dispose() => _pages.Dispose();

    private static long Pages(long bytes) => (bytes + PageSize - 1) / PageSize;
}

/// <summary>The memory of one bundle, given back when disposed.</summary>
/// <param name="ahead">Bytes that may be read ahead, 0 or more.</param>
/// <param name="release">Gives it back.</param>
internal sealed class MemoryLease(long ahead, Action release) : IDisposable
{
    public long Ahead { get; } = ahead;

    public void Dispose() => release();
}
