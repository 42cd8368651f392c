using Gateway.Storage.Failures;
using Gateway.Storage.Stores.Dialects;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Storage.Tests.Stores.Dialects;

public class CredentialCacheTests
{
    private readonly FakeTimeProvider _time = new();
    private TaskCompletionSource<string> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;
    private int _running;
    private int _most;

    [Fact]
    public async Task Requests_at_the_same_time_share_one_call()
    {
        var cache = Create();

        var waiting = Enumerable.Range(0, 50).Select(_ => cache.GetAsync(CancellationToken.None).AsTask()).ToArray();
        await CallsAsync(1);
        _answer.SetResult("credential");
        var credentials = await Task.WhenAll(waiting);

        Assert.All(credentials, credential => Assert.Equal("credential", credential));
        Assert.Equal((1, 1), (_calls, _most));
    }

    [Fact]
    public async Task A_request_waits_at_most_five_seconds_and_the_search_goes_on()
    {
        var cache = Create();
        var first = cache.GetAsync(CancellationToken.None).AsTask();
        await CallsAsync(1);

        _time.Advance(TimeSpan.FromSeconds(4.9));
        var waits = !first.IsCompleted;
        _time.Advance(TimeSpan.FromSeconds(0.2));
        var failure = await Assert.ThrowsAsync<StorageException>(() => first);
        var second = cache.GetAsync(CancellationToken.None).AsTask();
        _answer.SetResult("credential");

        Assert.Equal("credential", await second);
        Assert.Equal((true, FailureReason.NoCredential, 1), (waits, failure.Reason, _calls));
        Assert.Contains("the chain took longer than 5 s", failure.LogDetail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_is_remembered_for_thirty_seconds()
    {
        var cache = Create();
        _answer.SetException(new InvalidOperationException("no provider\u001b[31m"));
        var first = await Assert.ThrowsAsync<StorageException>(() => cache.GetAsync(CancellationToken.None).AsTask());

        _time.Advance(TimeSpan.FromSeconds(29));
        var remembered = await Assert.ThrowsAsync<StorageException>(() => cache.GetAsync(CancellationToken.None).AsTask());
        var calls = _calls;
        _time.Advance(TimeSpan.FromSeconds(2));
        _answer = new();
        _answer.SetResult("credential");
        var later = await cache.GetAsync(CancellationToken.None);

        Assert.Equal((1, 2, "credential"), (calls, _calls, later));
        Assert.Equal(first.LogDetail, remembered.LogDetail);
        Assert.StartsWith("the chain: InvalidOperationException: no provider", first.LogDetail, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', first.LogDetail!);
    }

    [Fact]
    public async Task A_search_that_never_ends_is_stopped_after_a_minute()
    {
        var cache = Create();
        var first = cache.GetAsync(CancellationToken.None).AsTask();
        await CallsAsync(1);
        _time.Advance(TimeSpan.FromSeconds(6));
        await Assert.ThrowsAsync<StorageException>(() => first);

        _time.Advance(TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(() => Volatile.Read(ref _running) == 0, "the search is stopped");

        Assert.Equal(1, _calls);
    }

    [Fact]
    public async Task A_request_that_is_cancelled_does_not_end_the_search_of_others()
    {
        var cache = Create();
        using var stop = new CancellationTokenSource();
        var cancelled = cache.GetAsync(stop.Token).AsTask();
        var other = cache.GetAsync(CancellationToken.None).AsTask();
        await CallsAsync(1);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _answer.SetResult("credential");

        Assert.Equal("credential", await other);
    }

    [Fact]
    public async Task After_Forget_a_request_does_not_get_what_an_earlier_call_returns()
    {
        var cache = Create();
        var before = cache.GetAsync(CancellationToken.None).AsTask();
        await CallsAsync(1);
        var old = _answer;
        _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        cache.Forget();
        var after = cache.GetAsync(CancellationToken.None).AsTask();
        old.SetResult("old");
        await before;
        await CallsAsync(2);
        _answer.SetResult("new");

        Assert.Equal(("old", "new", 1), (await before, await after, _most));
    }

    private CredentialCache<string> Create() => new(
        "the chain",
        async stop =>
        {
            Interlocked.Increment(ref _calls);
            _most = Math.Max(_most, Interlocked.Increment(ref _running));
            try
            {
                return await _answer.Task.WaitAsync(stop);
            }
            finally
            {
                Interlocked.Decrement(ref _running);
            }
        },
        _time);

    private Task CallsAsync(int count) => Eventually.TrueAsync(() => Volatile.Read(ref _calls) == count, $"call {count}");
}
