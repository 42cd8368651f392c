using Gateway.Admission;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>Memory for reading objects only to learn their sizes. It is leased when the first of them is read, and returned with the request.</summary>
internal sealed class DiscoveryMemory(BundleMemory memory, UpstreamOptions upstream) : IDisposable
{
    private MemoryLease? _lease;

    public async Task<ByteBudget> LeaseAsync(CancellationToken cancellationToken)
    {
        var needed = 2 * upstream.SmallObject;
        _lease = await memory.EnterAsync(needed, upstream.LookaheadBytes - needed, cancellationToken);
        return new ByteBudget(needed + _lease.Ahead);
    }

    public void Dispose()
    {
        _lease?.Dispose();
        _lease = null;
    }
}
