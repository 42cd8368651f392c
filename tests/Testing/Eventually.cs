using Xunit;

namespace Testing;

/// <summary>Waits for an effect of another thread or process, no longer than needed.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <summary>Shorter than a test's own limit, so that the missing effect is reported; long enough for a busy machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="condition">What must become true.</param>
    /// <param name="what">Its description.</param>
    /// <param name="atMost">How long it may take.</param>
    /// <param name="describe">Describes the state if it did not become true.</param>
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? atMost = null, Func<string>? describe = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, atMost, describe);

    /// <param name="condition">What must become true.</param>
    /// <param name="what">Its description.</param>
    /// <param name="atMost">How long it may take.</param>
    /// <param name="describe">Describes the state if it did not become true.</param>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? atMost = null, Func<string>? describe = null)
    {
        using var timer = new PeriodicTimer(Step);
        using var patience = new CancellationTokenSource(atMost ?? Patience);
        while (!await condition())
        {
            if (patience.IsCancellationRequested)
            {
                Assert.Fail($"did not become true: {what}{(describe is null ? "" : $"; {describe()}")}");
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Waits until a number has not changed for a while, and returns it.</summary>
    public static async Task<long> StandsStillAsync(Func<long> number, TimeSpan quiet)
    {
        using var timer = new PeriodicTimer(quiet);
        for (var last = number(); ;)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            var now = number();
            if (now == last)
            {
                return now;
            }

            last = now;
        }
    }
}
