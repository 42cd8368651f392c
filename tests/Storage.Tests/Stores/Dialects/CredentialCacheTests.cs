using Gateway.Storage.Failures;
using Gateway.Storage.Stores.Dialects;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Storage.Tests.Stores.Dialects;

public class CredentialCacheTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<(TaskCompletionSource<string> Answer, CancellationToken Stop)> _calls = [];
    private readonly CredentialCache<string> _cache;
    private DateTimeOffset? _expires;

    public CredentialCacheTests() => _cache = new CredentialCache<string>("The library", ObtainAsync, _ => _expires, _time);

    [Fact]
    public async Task One_call_serves_all_requests_that_wait()
    {
        var waiting = Enumerable.Range(0, 20).Select(_ => _cache.GetAsync(CancellationToken.None).AsTask()).ToArray();

        (await CallAsync(1)).Answer.SetResult("key");
        var credentials = await Task.WhenAll(waiting);

        Assert.All(credentials, credential => Assert.Equal("key", credential));
        Assert.Single(_calls);
    }

    [Fact]
    public async Task After_Forget_a_request_does_not_get_what_an_earlier_call_returns()
    {
        var before = _cache.GetAsync(CancellationToken.None).AsTask();
        var first = await CallAsync(1);

        _cache.Forget();
        var after = _cache.GetAsync(CancellationToken.None).AsTask();
        first.Answer.SetResult("old");
        await before;
        (await CallAsync(2)).Answer.SetResult("new");

        Assert.Equal(("old", "new"), (await before, await after));
    }

    [Fact]
    public async Task The_library_is_called_again_because_it_renews_the_credential()
    {
        var first = _cache.GetAsync(CancellationToken.None);
        (await CallAsync(1)).Answer.SetResult("one");
        Assert.Equal("one", await first);
        Assert.Equal("one", await _cache.GetAsync(CancellationToken.None));

        _time.Advance(TimeSpan.FromSeconds(1));
        var second = _cache.GetAsync(CancellationToken.None);
        (await CallAsync(2)).Answer.SetResult("two");

        Assert.Equal("two", await second);
    }

    [Fact]
    public async Task A_credential_that_expires_within_a_minute_is_not_used_again()
    {
        _expires = _time.GetUtcNow() + TimeSpan.FromSeconds(59);
        var first = _cache.GetAsync(CancellationToken.None);
        (await CallAsync(1)).Answer.SetResult("one");
        await first;

        var second = _cache.GetAsync(CancellationToken.None);
        (await CallAsync(2)).Answer.SetResult("two");

        Assert.Equal("two", await second);
    }

    [Fact]
    public async Task A_request_waits_at_most_five_seconds_and_the_search_goes_on()
    {
        var early = _cache.GetAsync(CancellationToken.None).AsTask();
        var call = await CallAsync(1);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(early.IsCompleted);

        _time.Advance(TimeSpan.FromSeconds(0.1));
        var failure = await Assert.ThrowsAsync<StorageException>(() => early);
        var late = _cache.GetAsync(CancellationToken.None);
        call.Answer.SetResult("key");

        Assert.Equal((FailureReason.NoCredential, "The library took longer than 5 s."), (failure.Reason, failure.LogDetail));
        Assert.Equal("key", await late);
        Assert.Single(_calls);
    }

    [Fact]
    public async Task A_failure_is_remembered_for_thirty_seconds()
    {
        var first = _cache.GetAsync(CancellationToken.None).AsTask();
        (await CallAsync(1)).Answer.SetException(new InvalidOperationException("no\u001B[31m role"));
        var failure = await Assert.ThrowsAsync<StorageException>(() => first);

        _time.Advance(TimeSpan.FromSeconds(29.9));
        var remembered = await Assert.ThrowsAsync<StorageException>(() => _cache.GetAsync(CancellationToken.None).AsTask());
        _time.Advance(TimeSpan.FromSeconds(0.1));
        var next = _cache.GetAsync(CancellationToken.None);
        (await CallAsync(2)).Answer.SetResult("key");

        Assert.Equal(("The library: InvalidOperationException: no\\u{001B}[31m role", FailureReason.NoCredential.Text), (failure.LogDetail, failure.Message));
        Assert.Equal((FailureReason.NoCredential, failure.LogDetail), (remembered.Reason, remembered.LogDetail));
        Assert.Equal("key", await next);
    }

    [Fact]
    public async Task A_long_message_of_a_library_is_shortened()
    {
        var first = _cache.GetAsync(CancellationToken.None).AsTask();
        (await CallAsync(1)).Answer.SetException(new InvalidOperationException(new string('x', 10_000)));

        var failure = await Assert.ThrowsAsync<StorageException>(() => first);

        Assert.InRange(failure.LogDetail!.Length, 300, 400);
    }

    [Fact]
    public async Task A_client_that_leaves_does_not_stop_the_search_for_others()
    {
        using var leaves = new CancellationTokenSource();
        var leaving = _cache.GetAsync(leaves.Token).AsTask();
        var staying = _cache.GetAsync(CancellationToken.None);
        var call = await CallAsync(1);

        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        Assert.False(call.Stop.IsCancellationRequested);
        call.Answer.SetResult("key");

        Assert.Equal("key", await staying);
    }

    [Fact]
    public async Task A_search_ends_after_a_minute()
    {
        var waiting = _cache.GetAsync(CancellationToken.None).AsTask();
        var call = await CallAsync(1);
        _time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<StorageException>(() => waiting);

        _time.Advance(TimeSpan.FromSeconds(55));

        Assert.True(call.Stop.IsCancellationRequested);
        await Eventually.TrueAsync(async () => (await FailAsync()).LogDetail == "The library: TaskCanceledException: A task was canceled.", "the search has failed");
    }

    [Fact]
    public async Task A_library_that_blocks_or_fails_at_once_does_not_block_others()
    {
        using var release = new SemaphoreSlim(0);
        var cache = new CredentialCache<string>(
            "The library",
            _ =>
            {
                release.Wait(CancellationToken.None);
                throw new InvalidOperationException("failed");
            },
            _ => null,
            _time);

        var waiting = cache.GetAsync(CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        release.Release();

        Assert.Equal("The library: InvalidOperationException: failed", (await Assert.ThrowsAsync<StorageException>(() => waiting)).LogDetail);
    }

    [Fact]
    public async Task A_search_that_fails_after_all_requests_have_left_is_not_a_fault_of_the_gateway()
    {
        var unobserved = new List<Exception>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            lock (unobserved)
            {
                unobserved.Add(e.Exception);
            }
        }

        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            // Any one of them would show it; the last ones may still be ending.
            for (var i = 0; i < 20; i++)
            {
                await AbandonAsync();
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        Assert.DoesNotContain(unobserved, e => e.InnerException is StorageException { LogDetail: "The library: Abandoned: abandoned" });
    }

    private async Task AbandonAsync()
    {
        var result = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cache = new CredentialCache<string>(
            "The library",
            _ =>
            {
                started.SetResult();
                return result.Task;
            },
            _ => null,
            _time);
        using var leaves = new CancellationTokenSource();
        var waiting = cache.GetAsync(leaves.Token).AsTask();
        await started.Task;
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        var exception = new Abandoned();
        result.SetException(exception);
        await exception.Read;
    }

    /// <summary>A failure that is known already; another text if the search still runs.</summary>
    private async Task<StorageException> FailAsync()
    {
        using var stop = new CancellationTokenSource();
        var waiting = _cache.GetAsync(stop.Token);
        await stop.CancelAsync();
        try
        {
            await waiting;
        }
        catch (OperationCanceledException)
        {
            return new StorageException(FailureReason.NoCredential) { LogDetail = "pending" };
        }
        catch (StorageException e)
        {
            return e;
        }

        return new StorageException(FailureReason.None) { LogDetail = "found" };
    }

    private async Task<(TaskCompletionSource<string> Answer, CancellationToken Stop)> CallAsync(int number)
    {
        await Eventually.TrueAsync(
            () =>
            {
                lock (_calls)
                {
                    return _calls.Count == number;
                }
            },
            $"call {number}");
        return _calls[^1];
    }

    private Task<string> ObtainAsync(CancellationToken stop)
    {
        var result = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        stop.Register(() => result.TrySetCanceled(stop));
        lock (_calls)
        {
            _calls.Add((result, stop));
        }

        return result.Task;
    }

    /// <summary>Reports when it has been read, because a test that awaited the search itself would observe its failure.</summary>
    private sealed class Abandoned : Exception
    {
        private readonly TaskCompletionSource _read = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Read => _read.Task;

        public override string Message
        {
            get
            {
                _read.TrySetResult();
                return "abandoned";
            }
        }
    }
}
