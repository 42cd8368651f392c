using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.Admission;

/// <summary>
/// One limit for the memory of all requests together, using the runtime's rate limiters, which count pages. A quarter is for request
/// data: bodies, manifests and plans (<see cref="RequestMemory"/>). The rest is for archives: before a bundle rents memory, it leases what its
/// archive needs, and waits for it. Memory for reading ahead comes from what remains.
/// </summary>
internal sealed class BundleMemory : IDisposable
{
    private const int PageSize = 16 * 1024;

    // A new bundle takes at most this part of the remaining memory for reading ahead, so that some remains for the next.
    private const int AheadShare = 4;

    // Request data may take at most this part of all memory, and one client at most this part of that.
    private const int RequestShare = 4;
    private const int ClientShare = 4;

    private readonly ConcurrencyLimiter _archives;
    private readonly ConcurrencyLimiter _requests;
    private readonly PartitionedRateLimiter<string> _requestsPerClient;
    private readonly int _archivePages;
    private readonly int _requestPages;
    private readonly int _clientPages;
    private readonly int _maxActive;
    private int _active;

    public BundleMemory(IOptions<MemoryOptions> memory, IOptions<LimitOptions> limits)
    {
        var all = (int)Math.Min(memory.Value.Bound / PageSize, int.MaxValue);
        _requestPages = all / RequestShare;
        _clientPages = _requestPages / ClientShare;
        _archivePages = all - _requestPages;
        _maxActive = limits.Value.MaxActive;

        // A bundle that waits here holds a permit, so permits limit the queue.
        _archives = new ConcurrencyLimiter(new() { PermitLimit = _archivePages, QueueLimit = int.MaxValue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
        _requests = new ConcurrencyLimiter(new() { PermitLimit = _requestPages, QueueLimit = 0 });
        _requestsPerClient = PartitionedRateLimiter.Create<string, string>(
            client => RateLimitPartition.GetConcurrencyLimiter(client, _ => new() { PermitLimit = _clientPages, QueueLimit = 0 }));
        Limit = (long)all * PageSize;
    }

    /// <summary>Bytes that requests and archives may hold, in whole pages.</summary>
    public long Limit { get; }

    /// <summary>Bytes that requests and archives hold now, in whole pages.</summary>
    public long Leased =>
        (long)PageSize * (_archivePages - _archives.GetStatistics()!.CurrentAvailablePermits + _requestPages - _requests.GetStatistics()!.CurrentAvailablePermits);

    /// <summary>Creates the account of a request. It holds nothing until it grows.</summary>
    /// <param name="client">The client.</param>
    public RequestMemory Open(string client) => new(this, client);

    /// <summary>Waits for the memory of an archive.</summary>
    /// <param name="needed">Bytes that it requires.</param>
    /// <param name="ahead">Bytes that it would like to read ahead.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async Task<MemoryLease> EnterAsync(long needed, long ahead, CancellationToken cancellationToken)
    {
        var pages = (int)Math.Min(Pages(needed), _archivePages);
        var lease = await _archives.AcquireAsync(pages, cancellationToken);
        var others = _maxActive - Interlocked.Increment(ref _active);
        var left = (_archives.GetStatistics()!.CurrentAvailablePermits - ((long)others * pages)) / AheadShare;
        var aheadPages = (int)Math.Clamp(Pages(ahead), 0, Math.Max(left, 0));
        var aheadLease = _archives.AttemptAcquire(aheadPages);
        return new MemoryLease(
            aheadLease.IsAcquired ? Math.Min((long)aheadPages * PageSize, ahead) : 0,
            () =>
            {
                aheadLease.Dispose();
                lease.Dispose();
                Interlocked.Decrement(ref _active);
            });
    }

    /// <summary>Adds pages to the account of a request.</summary>
    /// <param name="client">The client.</param>
    /// <param name="from">Current bytes of the account.</param>
    /// <param name="to">Required bytes of the account.</param>
    /// <param name="leases">Receives the new leases.</param>
    /// <returns>0, or the status code of the rejection.</returns>
    internal int Grow(string client, long from, long to, Stack<RateLimitLease> leases)
    {
        // A request that needs more than the limit may have all of it, if no other request holds any.
        var (ofClient, ofAll) = (Difference(_clientPages), Difference(_requestPages));
        return !TryTake(ofClient, pages => _requestsPerClient.AttemptAcquire(client, pages)) ? StatusCodes.Status429TooManyRequests
            : !TryTake(ofAll, _requests.AttemptAcquire) ? StatusCodes.Status503ServiceUnavailable
            : 0;

        int Difference(int limit) => (int)(Math.Min(Pages(to), limit) - Math.Min(Pages(from), limit));

        bool TryTake(int pages, Func<int, RateLimitLease> acquire)
        {
            if (pages == 0)
            {
                return true;
            }

            leases.Push(acquire(pages));
            return leases.Peek().IsAcquired;
        }
    }

    public void Dispose()
    {
        _archives.Dispose();
        _requests.Dispose();
        _requestsPerClient.Dispose();
    }

    private static long Pages(long bytes) => (bytes + PageSize - 1) / PageSize;
}

/// <summary>The memory of one archive, returned when disposed.</summary>
/// <param name="ahead">Bytes that may be read ahead, 0 or more.</param>
/// <param name="release">Returns it.</param>
internal sealed class MemoryLease(long ahead, Action release) : IDisposable
{
    public long Ahead { get; } = ahead;

    public void Dispose() => release();
}
