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

    // What requests say of themselves, before anybody knows who they are, may take no more than this part.
    private const int BodyShare = 4;

    private readonly ConcurrencyLimiter _pages;
    private readonly ConcurrencyLimiter _bodyPages;
    private readonly int _all;
    private readonly int _maxActive;
    private int _active;

    public BundleMemory(IOptions<MemoryOptions> memory, IOptions<LimitOptions> limits)
    {
        _all = (int)Math.Min(memory.Value.Bound / PageSize, int.MaxValue);
        _maxActive = limits.Value.MaxActive;

        // Who waits here holds a place among the active bundles, so they bound the queue.
        _pages = new ConcurrencyLimiter(new() { PermitLimit = _all, QueueLimit = int.MaxValue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
        _bodyPages = new ConcurrencyLimiter(new() { PermitLimit = BodyPages, QueueLimit = BodyPages, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
    }

    /// <summary>Bytes that bundles, and bodies of requests, hold now, in whole pages.</summary>
    public long Leased => (_all + BodyPages - _pages.GetStatistics()!.CurrentAvailablePermits - _bodyPages.GetStatistics()!.CurrentAvailablePermits) * PageSize;

    private int BodyPages => Math.Max(_all / BodyShare, 1);

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

    /// <summary>Waits for the memory of a request's body, which is given back when the body has been read.</summary>
    /// <param name="bytes">Its length, or the most it can have.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null when too many wait.</returns>
    public async Task<IDisposable?> EnterBodyAsync(long bytes, CancellationToken cancellationToken)
    {
        var lease = await _bodyPages.AcquireAsync((int)Math.Min(Pages(bytes), BodyPages), cancellationToken);
        return lease.IsAcquired ? lease : null;
    }

    public void Dispose()
    {
        _pages.Dispose();
        _bodyPages.Dispose();
    }

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
