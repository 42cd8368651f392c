using Gateway.Plans;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Objects;

namespace Gateway.Planning;

/// <summary>The memory that may be used while objects are probed.</summary>
internal sealed class ProbeMemory
{
    private readonly Lazy<Task<ByteBudget>> _discovery;
    private readonly bool _decodes;

    public ProbeMemory(BundleRun run, ResolvedBundle bundle)
    {
        var lease = run.Lease?.Prefetch;

        // Where a range begins is not known yet: objects before it are not to be read.
        Prefetch = RequestedRange.IsPresent(run.Http.Request) ? null : lease?.Objects;
        _discovery = new(() => lease is not null ? Task.FromResult(lease.Objects) : run.Discovery.LeaseAsync(bundle.DecoderMemory, run.Stopped));
        _decodes = bundle.DecoderMemory > 0;
    }

    /// <summary>For objects that stay open and are sent; null when no archive follows from its beginning.</summary>
    public ByteBudget? Prefetch { get; }

    /// <summary>For objects whose size only their bytes tell. It is leased when it is needed first.</summary>
    public Task<ByteBudget> GetDiscoveryAsync() => _discovery.Value;

    /// <summary>Leases what decoders need. An archive has leased it already.</summary>
    public async Task LeaseDecodersAsync()
    {
        if (Prefetch is null && _decodes)
        {
            await _discovery.Value;
        }
    }
}
