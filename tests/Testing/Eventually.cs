using Xunit;

namespace Testing;

/// <summary>Waits for what another thread or process brings about, no longer than needed.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <summary>Shorter than a test's own limit, so that what did not come about is named; long enough for a machine with other work.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="condition">What must come about.</param>
    /// <param name="what">Names it.</param>
    /// <param name="atMost">How long it may take.</param>
    /// <param name="describe">Says how things stand when it has not.</param>
    public static async Task TrueAsync(Func<bool> condition, string what, TimeSpan? atMost = null, Func<string>? describe = null)
    {
        using var timer = new PeriodicTimer(Step);
        using var patience = new CancellationTokenSource(atMost ?? Patience);
        while (!condition())
        {
            if (patience.IsCancellationRequested)
            {
                Assert.Fail($"did not come about: {what}{(describe is null ? "" : $"; {describe()}")}");
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Waits until a number has not moved for a while, and returns it.</summary>
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
