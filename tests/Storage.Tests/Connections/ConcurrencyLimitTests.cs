using Gateway.Storage.Connections;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Connections;

public class ConcurrencyLimitTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Without_a_rejection_there_is_no_limit()
    {
        var limit = new ConcurrencyLimit(null, _time);
        for (var i = 0; i < 5000; i++)
        {
            await EnterAsync(limit);
            limit.Succeeded();
        }

        Assert.False(limit.IsActive);
        Assert.Null(limit.Current);
    }

    [Fact]
    public async Task A_rejection_halves_the_limit_and_older_requests_have_no_effect()
    {
        var limit = new ConcurrencyLimit(null, _time);
        var slots = new List<ConcurrencyLimit.Slot>();
        for (var i = 0; i < 40; i++)
        {
            slots.Add(await EnterAsync(limit));
        }

        _time.Advance(TimeSpan.FromMilliseconds(1));
        foreach (var slot in slots)
        {
            limit.Refused(slot);
            slot.Dispose();
        }

        Assert.Equal(20, limit.Current);
    }

    [Fact]
    public async Task Successes_at_the_limit_raise_it_slowly()
    {
        var limit = new ConcurrencyLimit(null, _time);
        var slots = new List<ConcurrencyLimit.Slot>();
        for (var i = 0; i < 8; i++)
        {
            slots.Add(await EnterAsync(limit));
        }

        limit.Refused(slots[0]);
        slots.Take(4).ToList().ForEach(slot => slot.Dispose());
        Assert.Equal(4, limit.Current);

        for (var i = 0; i < 20; i++)
        {
            limit.Succeeded();
        }

        Assert.Equal(5, limit.Current!.Value, 3);
    }

    [Fact]
    public async Task A_destination_that_rejects_everything_costs_an_attempt()
    {
        var limit = new ConcurrencyLimit(null, _time);
        using (var slot = await EnterAsync(limit))
        {
            Assert.False(limit.Refused(slot));
        }

        limit.Succeeded();
        _time.Advance(TimeSpan.FromSeconds(9));
        using (var slot = await EnterAsync(limit))
        {
            Assert.True(limit.Refused(slot));
        }

        _time.Advance(TimeSpan.FromSeconds(2));
        using (var slot = await EnterAsync(limit))
        {
            Assert.False(limit.Refused(slot));
        }
    }

    [Fact]
    public async Task Continuations_go_first_and_cancelled_requests_hold_no_slot()
    {
        var limit = new ConcurrencyLimit(1, _time);
        var first = await EnterAsync(limit);
        using var leave = new CancellationTokenSource();
        var left = limit.EnterAsync(leave.Token).AsTask();
        var waiting = limit.EnterAsync(CancellationToken.None).AsTask();
        var urgent = limit.EnterUrgentAsync(CancellationToken.None).AsTask();
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);

        first.Dispose();
        (await urgent).Dispose();
        (await waiting).Dispose();
        (await waiting).Dispose();

        (await EnterAsync(limit)).Dispose();
    }

    [Fact]
    public async Task At_a_limit_of_one_rejections_cause_growing_pauses()
    {
        var limit = new ConcurrencyLimit(null, _time);
        using (var other = await EnterAsync(limit))
        using (var slot = await EnterAsync(limit))
        {
            limit.Refused(slot);
        }

        Assert.Equal(1, limit.Current);
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var pause = 4; pause <= 64; pause *= 2)
        {
            using (var slot = await EnterAsync(limit))
            {
                limit.Refused(slot);
            }

            var next = limit.EnterAsync(CancellationToken.None).AsTask();
            _time.Advance(TimeSpan.FromMilliseconds(pause - 1));
            Assert.False(next.IsCompleted);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            (await next.WaitAsync(TimeSpan.FromSeconds(10))).Dispose();
        }
    }

    private static ValueTask<ConcurrencyLimit.Slot> EnterAsync(ConcurrencyLimit limit) => limit.EnterAsync(CancellationToken.None);

    [Fact]
    public async Task Occasional_rejections_do_not_prevent_the_use_of_storage()
    {
        var limit = new ConcurrencyLimit(null, new FakeTimeProvider());
        var others = Enumerable.Range(0, 15).Select(_ => limit.Enter()).ToArray();
        var random = new Random(1);
        var lowest = double.MaxValue;
        for (var i = 0; i < 20_000; i++)
        {
            using var slot = await limit.EnterAsync(TestContext.Current.CancellationToken);
            if (random.Next(100) == 0)
            {
                limit.Refused(slot);
            }
            else
            {
                limit.Succeeded();
            }

            lowest = Math.Min(lowest, limit.Current ?? double.MaxValue);
        }

        Assert.InRange(lowest, 4, 16);
        Assert.All(others, other => Assert.False(other.IsReleased));
    }
}
