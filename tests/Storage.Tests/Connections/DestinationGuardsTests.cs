using Gateway.Storage.Connections;
using Microsoft.Extensions.Time.Testing;
using Polly.CircuitBreaker;

namespace Storage.Tests.Connections;

public sealed class DestinationGuardsTests
{
    private static readonly Uri One = new("http://one/prefix/");

    private readonly DestinationGuards _guards = new();

    [Fact]
    public void A_guard_is_found_by_its_cluster_and_address()
    {
        var guard = Create();
        _guards.Add("c", One, guard);

        Assert.Same(guard, _guards.Find("c", new Uri("http://one/other")));
        Assert.Null(_guards.Find("d", One));
        Assert.Null(_guards.Find("c", new Uri("http://one:81/")));
    }

    [Fact]
    public void A_new_guard_of_a_destination_replaces_the_old_one()
    {
        var (old, current) = (Create(), Create());
        _guards.Add("c", One, old);
        _guards.Add("c", One, current);

        Assert.Same(current, _guards.Find("c", One));
        GC.KeepAlive(old);
    }

    private static DestinationGuard Create() => new(new ConcurrencyLimit(7, new FakeTimeProvider()), new CircuitBreakerStateProvider());
}
