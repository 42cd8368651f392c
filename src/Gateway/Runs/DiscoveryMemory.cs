using Gateway.Admission;
using Gateway.Storage;
using Gateway.Storage.Objects;

namespace Gateway.Runs;

/// <summary>Memory for reading objects only to learn their sizes. It is leased when the first of them is read, and returned with the run's lease.</summary>
internal sealed class DiscoveryMemory(BundleMemory memory, UpstreamOptions upstream) : IDisposable
{
    private MemoryLease? _lease;

    /// <param name="decoders">Bytes that decoders need besides.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ByteBudget> LeaseAsync(long decoders, CancellationToken cancellationToken)
    {
        var needed = 2 * upstream.SmallObject;
        _lease = await memory.EnterAsync(decoders + needed, upstream.LookaheadBytes - needed, cancellationToken);
        return new ByteBudget(needed + _lease.Ahead);
    }

    public void Dispose()
    {
        _lease?.Dispose();
        _lease = null;
    }
}
