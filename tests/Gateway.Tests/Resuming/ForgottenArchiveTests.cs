using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Resuming;

namespace Gateway.Tests.Resuming;

/// <summary><see cref="ResumeStateCache"/> after something that it knew has turned out wrong.</summary>
public sealed class ForgottenArchiveTests : IDisposable
{
    private static readonly ArchiveLayout Layout = ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.Tar), [new ArchiveEntry("n", 100, DateTimeOffset.UnixEpoch)]);
    private static readonly ArchiveIdentity Archive = new("\"x\"", Layout, false);

    private readonly ResumeStateCache _cache = new();

    public void Dispose() => _cache.Dispose();

    [Fact]
    public async Task An_archive_that_is_made_is_known_from_then_on_and_one_that_is_described_is_not()
    {
        var described = await _cache.FindAsync(Archive, CancellationToken.None);
        var made = await _cache.GetOrAddAsync(Archive, CancellationToken.None);

        Assert.NotSame(described, made);
        Assert.Same(made, await _cache.GetOrAddAsync(Archive, CancellationToken.None));
        Assert.Same(made, await _cache.FindAsync(Archive, CancellationToken.None));
    }

    [Fact]
    public async Task An_archive_without_an_ETag_or_a_layout_is_never_kept()
    {
        var (noETag, noLayout) = (Archive with { ETag = null }, Archive with { Layout = null });

        Assert.NotSame(await _cache.GetOrAddAsync(noETag, CancellationToken.None), await _cache.GetOrAddAsync(noETag, CancellationToken.None));
        Assert.NotSame(await _cache.GetOrAddAsync(noLayout, CancellationToken.None), await _cache.GetOrAddAsync(noLayout, CancellationToken.None));
    }

    [Fact]
    public async Task A_forgotten_archive_is_replaced_by_one_of_which_nothing_is_known()
    {
        var state = await _cache.GetOrAddAsync(Archive, CancellationToken.None);
        state.SetEnd(100, null);

        var fresh = _cache.Forget(state);

        Assert.NotSame(state, fresh);
        Assert.Equal((null, null, true, "\"x\""), (state.End, fresh.End, fresh.IsDoubted, fresh.ETag));
        Assert.Same(fresh, await _cache.GetOrAddAsync(Archive, CancellationToken.None));
    }

    [Fact]
    public async Task Of_two_requests_that_find_the_same_error_the_second_gets_what_the_first_has_learned_since()
    {
        var state = await _cache.GetOrAddAsync(Archive, CancellationToken.None);

        var first = _cache.Forget(state);
        first.SetEnd(200, null);
        var second = _cache.Forget(state);

        Assert.Same(first, second);
        Assert.Equal(200, second.End!.Length);
    }

    [Fact]
    public void A_single_process_knows_which_versions_it_has_sent() => Assert.NotNull(_cache.Versions);
}
