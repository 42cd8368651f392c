using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Resuming;

namespace Gateway.Tests.Resuming;

/// <summary>Requests that make one archive while one of them finds that what was known of it is wrong.</summary>
public sealed class WrongCheckpointTests : IDisposable
{
    private static readonly ArchiveLayout Layout = ArchiveLayout.Create(new ArchiveRecipe(), [new ArchiveEntry("a", 100, DateTimeOffset.UnixEpoch)]);
    private static readonly ArchiveIdentity Archive = new("\"x\"", Layout, NeedsHashes: false);

    private readonly ResumeStateCache _cache = new();

    public void Dispose() => _cache.Dispose();

    [Fact]
    public async Task All_requests_share_the_state_that_follows()
    {
        var wrong = await GetAsync();
        var other = await GetAsync();

        var first = _cache.Forget(wrong);
        var second = _cache.Forget(other);

        Assert.Same(wrong, other);
        Assert.Same(first, second);
        Assert.Same(first, await GetAsync());
        Assert.NotSame(wrong, first);
    }

    [Fact]
    public async Task The_end_that_other_replicas_know_is_not_asked_for_again()
    {
        var fresh = _cache.Forget(await GetAsync());

        Assert.True(fresh.IsDoubted);
        Assert.Null(fresh.End);
    }

    [Fact]
    public async Task An_archive_that_ends_is_remembered_although_its_state_was_discarded()
    {
        var wrong = await GetAsync();
        _cache.Forget(wrong);

        _cache.SetEnd(wrong, 1234, hash: null);

        Assert.Equal(1234, (await GetAsync()).End?.Length);
        Assert.Null(wrong.End);
    }

    [Fact]
    public async Task Nothing_of_a_discarded_state_is_published()
    {
        var wrong = await GetAsync();
        wrong.SetEnd(1234, hash: null);
        _cache.Forget(wrong);

        Assert.False(wrong.TryBeginPublishing());
        Assert.Equal(([], null), wrong.TakeUnpublished());
    }

    private Task<ResumeState> GetAsync() => _cache.GetOrAddAsync(Archive, TestContext.Current.CancellationToken);
}
