using Gateway.Admission;
using Gateway.Runs;
using Gateway.Storage;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Runs;

public sealed class DiscoveryMemoryTests : IDisposable
{
    private const int Megabyte = 1 << 20;

    private readonly BundleMemory _memory = new(Options.Create(new MemoryOptions { MaxBytes = 64 * Megabyte }), Options.Create(new LimitOptions { MaxActive = 1 }));

    public void Dispose() => _memory.Dispose();

    [Fact]
    public async Task It_leases_nothing_until_it_is_needed_and_returns_everything()
    {
        using var discovery = new DiscoveryMemory(_memory, new UpstreamOptions { LookaheadBytes = 8 * Megabyte, Lookahead = 8 });
        Assert.Equal(0, _memory.Leased);

        var budget = await discovery.LeaseAsync(decoders: Megabyte, CancellationToken.None);
        Assert.Equal(8 * Megabyte, budget.Total);
        Assert.Equal(9 * Megabyte, _memory.Leased);
        discovery.Dispose();
        discovery.Dispose();

        Assert.Equal(0, _memory.Leased);
    }

    [Fact]
    public async Task While_memory_is_scarce_at_least_two_small_objects_fit()
    {
        using var other = await _memory.EnterAsync(46 * Megabyte, 0, CancellationToken.None);
        using var discovery = new DiscoveryMemory(_memory, new UpstreamOptions { LookaheadBytes = 8 * Megabyte, Lookahead = 8 });

        var budget = await discovery.LeaseAsync(decoders: 0, CancellationToken.None);

        Assert.Equal(2 * Megabyte, budget.Total);
    }
}
