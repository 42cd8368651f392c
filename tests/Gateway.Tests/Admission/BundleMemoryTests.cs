using Gateway.Admission;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Admission;

public sealed class BundleMemoryTests : IDisposable
{
    private const int Megabyte = 1 << 20;

    private readonly BundleMemory _memory = new(
        Options.Create(new MemoryOptions { MaxBytes = 32 * Megabyte }), Options.Create(new LimitOptions { MaxActive = 16 }));

    public void Dispose() => _memory.Dispose();

    [Fact]
    public async Task A_single_bundle_gets_its_lookahead_or_a_share_of_the_free_memory()
    {
        using var modest = await EnterAsync(Megabyte, 2 * Megabyte);
        using var greedy = await EnterAsync(Megabyte, 100 * Megabyte);

        Assert.Equal(2 * Megabyte, modest.Ahead);
        Assert.InRange(greedy.Ahead, Megabyte, 2 * Megabyte);
    }

    [Fact]
    public async Task Lookahead_shrinks_so_that_the_maximum_number_of_bundles_can_run()
    {
        var leases = new List<MemoryLease>();
        for (var i = 0; i < 16; i++)
        {
            leases.Add(await EnterAsync(Megabyte, 8 * Megabyte));
        }

        Assert.Equal(leases.Select(lease => lease.Ahead).OrderDescending(), leases.Select(lease => lease.Ahead));
        Assert.InRange(leases.Sum(lease => lease.Ahead), 1, 16 * Megabyte);
        leases.ForEach(lease => lease.Dispose());
    }

    [Fact]
    public async Task A_bundle_without_memory_waits_until_another_ends()
    {
        var first = await EnterAsync(20 * Megabyte, 0);
        var second = EnterAsync(20 * Megabyte, 0);
        Assert.False(second.IsCompleted);

        first.Dispose();

        (await second).Dispose();
    }

    [Fact]
    public async Task A_bundle_that_stops_waiting_takes_nothing()
    {
        using var stop = new CancellationTokenSource();
        var first = await EnterAsync(32 * Megabyte, 0);
        var second = _memory.EnterAsync(Megabyte, 0, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();

        (await EnterAsync(24 * Megabyte, 0)).Dispose();
    }

    [Fact]
    public async Task A_bundle_that_needs_more_than_the_limit_gets_all_of_it() => (await EnterAsync(100 * Megabyte, 0)).Dispose();

    [Fact]
    public async Task Requests_use_a_quarter_and_nothing_of_the_archives_memory()
    {
        using var archive = await EnterAsync(32 * Megabyte, 0);
        using var first = _memory.Open("a");
        using var second = _memory.Open("b");

        Assert.Equal(0, first.GrowByBody(Megabyte / 2));
        Assert.Equal(0, second.GrowByBody(Megabyte / 2));
        Assert.Equal((24 + 4) * Megabyte, _memory.Leased);
    }

    [Fact]
    public void A_client_uses_a_quarter_of_the_requests_memory_and_leaves_the_rest_to_others()
    {
        using var first = _memory.Open("a");
        using var second = _memory.Open("a");
        using var other = _memory.Open("b");

        Assert.Equal(0, first.GrowByBody(Megabyte / 2));
        Assert.Equal(429, second.GrowByBody(1));
        Assert.Equal(0, other.GrowByBody(Megabyte / 2));
    }

    [Fact]
    public void The_memory_of_all_clients_is_limited_and_is_returned()
    {
        var requests = Enumerable.Range(0, 4).Select(i => _memory.Open($"{i}")).ToArray();
        Assert.All(requests, request => Assert.Equal(0, request.GrowByBody(Megabyte / 2)));
        using var late = _memory.Open("late");
        Assert.Equal(503, late.GrowByBody(1));

        Array.ForEach(requests, request => request.Dispose());

        Assert.Equal(0, late.GrowByBody(1));
        late.Dispose();
        Assert.Equal(0, _memory.Leased);
    }

    [Fact]
    public void A_request_that_needs_more_than_the_limit_may_have_all_of_it()
    {
        using var large = _memory.Open("a");

        Assert.Equal(0, large.GrowByBody(100 * Megabyte));
        Assert.Equal(8 * Megabyte, _memory.Leased);
    }

    [Fact]
    public void A_body_uses_memory_for_received_and_not_for_declared_bytes()
    {
        using var slow = _memory.Open("a");

        Assert.Equal(0, slow.GrowByBody(1));

        Assert.Equal(16 * 1024, _memory.Leased);
    }

    private Task<MemoryLease> EnterAsync(long needed, long ahead) => _memory.EnterAsync(needed, ahead, CancellationToken.None);
}
