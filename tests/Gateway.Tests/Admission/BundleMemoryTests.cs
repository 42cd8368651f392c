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
    public async Task One_bundle_alone_gets_what_it_would_like_to_read_ahead_or_a_share_of_what_the_others_do_not_need()
    {
        using var modest = await EnterAsync(Megabyte, 2 * Megabyte);
        using var greedy = await EnterAsync(Megabyte, 100 * Megabyte);

        Assert.Equal(2 * Megabyte, modest.Ahead);
        Assert.InRange(greedy.Ahead, 3 * Megabyte, 4 * Megabyte);
    }

    [Fact]
    public async Task Looking_ahead_shrinks_so_that_as_many_bundles_as_may_run_do()
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
    public async Task Who_finds_no_memory_waits_until_another_ends()
    {
        var first = await EnterAsync(20 * Megabyte, 0);
        var second = EnterAsync(20 * Megabyte, 0);
        Assert.False(second.IsCompleted);

        first.Dispose();

        (await second).Dispose();
    }

    [Fact]
    public async Task Who_stops_waiting_takes_nothing()
    {
        using var stop = new CancellationTokenSource();
        var first = await EnterAsync(32 * Megabyte, 0);
        var second = _memory.EnterAsync(Megabyte, 0, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();

        (await EnterAsync(32 * Megabyte, 0)).Dispose();
    }

    [Fact]
    public async Task A_bundle_that_needs_more_than_there_is_gets_all_of_it() => (await EnterAsync(100 * Megabyte, 0)).Dispose();

    [Fact]
    public async Task Bodies_of_requests_take_a_quarter_at_the_most_and_nothing_of_what_bundles_have()
    {
        using var bundle = await EnterAsync(32 * Megabyte, 0);
        using var first = await _memory.EnterBodyAsync(8 * Megabyte, CancellationToken.None);
        var second = _memory.EnterBodyAsync(8 * Megabyte, CancellationToken.None);
        Assert.False(second.IsCompleted);
        Assert.Null(await _memory.EnterBodyAsync(8 * Megabyte, CancellationToken.None));

        first!.Dispose();

        (await second)!.Dispose();
    }

    private Task<MemoryLease> EnterAsync(long needed, long ahead) => _memory.EnterAsync(needed, ahead, CancellationToken.None);
}
