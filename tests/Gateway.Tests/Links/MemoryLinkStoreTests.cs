using Gateway.Links;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Links;

public class MemoryLinkStoreTests
{
    private const int Link = 60_000;

    private readonly FakeTimeProvider _time = new();
    private readonly MemoryLinkStore _store;

    public MemoryLinkStoreTests() => _store = new MemoryLinkStore(Options.Create(new BundleLinkOptions { MaxBytes = 10 * Link, MaxBytesPerClient = 4 * Link }), _time);

    [Fact]
    public async Task A_client_over_its_share_is_rejected_and_no_link_is_evicted()
    {
        await _store.AddAsync("victim", new byte[100], In(1440), "victim");
        for (var i = 0; i < 3; i++)
        {
            await _store.AddAsync($"a{i}", new byte[Link], In(10 + i), "a");
        }

        var refused = await Assert.ThrowsAsync<LinkException>(() => _store.AddAsync("a3", new byte[Link], In(1), "a"));

        Assert.Equal((LinkFault.ClientQuotaExceeded, TimeSpan.FromMinutes(10)), (refused.Fault, refused.RetryAfter));
        Assert.NotNull(await _store.FindAsync("victim"));
        Assert.NotNull(await _store.FindAsync("a0"));
        Assert.Null(await _store.FindAsync("a3"));
        await _store.AddAsync("b", new byte[Link], In(1), "b");
    }

    [Fact]
    public async Task A_full_store_rejects_new_links_and_expired_links_free_their_space()
    {
        for (var i = 0; i < 9; i++)
        {
            await _store.AddAsync($"{i}", new byte[Link], In(60 + i), $"client {i / 3}");
        }

        var refused = await Assert.ThrowsAsync<LinkException>(() => _store.AddAsync("x", new byte[Link], In(1), "x"));
        Assert.Equal((LinkFault.NoRoom, TimeSpan.FromMinutes(60)), (refused.Fault, refused.RetryAfter));

        _time.Advance(TimeSpan.FromMinutes(60));
        Assert.Null(await _store.FindAsync("0"));
        Assert.NotNull(await _store.FindAsync("1"));
        await _store.AddAsync("x", new byte[Link], In(1), "x");
        await Assert.ThrowsAsync<LinkException>(() => _store.AddAsync("y", new byte[Link], In(1), "y"));

        _time.Advance(TimeSpan.FromDays(1));
        for (var i = 0; i < 9; i++)
        {
            await _store.AddAsync($"again {i}", new byte[Link], In(1), $"client {i / 3}");
        }
    }

    [Fact]
    public async Task Many_small_links_take_space_too()
    {
        var made = 0;
        while (true)
        {
            try
            {
                await _store.AddAsync($"{made}", [1], In(1), "a");
                made++;
            }
            catch (LinkException)
            {
                break;
            }
        }

        Assert.InRange(made, 100, 1000);
    }

    private DateTimeOffset In(int minutes) => _time.GetUtcNow().AddMinutes(minutes);
}
