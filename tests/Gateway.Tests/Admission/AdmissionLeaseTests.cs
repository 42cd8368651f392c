using Gateway.Admission;
using Gateway.Storage.Objects;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Admission;

public sealed class AdmissionLeaseTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly TestLifetime _lifetime = new();
    private readonly Drain _drain;
    private readonly List<string> _released = [];

    public AdmissionLeaseTests() => _drain = new Drain(Options.Create(new DrainOptions { Delay = TimeSpan.Zero }), new FakeTimeProvider(), _lifetime, NullLogger<Drain>.Instance);

    public void Dispose()
    {
        _drain.Dispose();
        _lifetime.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void Memory_goes_back_before_the_permit_so_that_the_next_bundle_finds_it()
    {
        var lease = Create();
        lease.Add(new MemoryLease(10, () => _released.Add("memory")), PrefetchBudget.Divide(10, 5));

        lease.Dispose();

        Assert.Equal(["memory", "permit"], _released);
        Assert.Equal(-1, _metrics["gateway.bundle.active"]);
    }

    [Fact]
    public void A_lease_without_memory_has_nothing_to_fill_ahead()
    {
        var lease = Create();
        Assert.Null(lease.Prefetch);

        lease.Dispose();

        Assert.Equal(["permit"], _released);
    }

    [Fact]
    public async Task The_last_lease_ends_the_wait_of_a_process_that_stops()
    {
        var lease = Create();
        var stopping = _drain.StoppingAsync(CancellationToken.None);
        Assert.False(stopping.IsCompleted);

        lease.Dispose();

        await stopping;
    }

    private AdmissionLease Create()
    {
        _drain.TryEnter();
        return new AdmissionLease(new Permit(_released), _drain, _metrics.Bundles);
    }

    private sealed class Permit(List<string> released) : IDisposable
    {
        public void Dispose() => released.Add("permit");
    }
}
