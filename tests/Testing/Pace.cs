namespace Testing;

/// <summary>Real time that has to pass: for clients and storage that are slow, and for runs that measure. A test that waits for something uses <see cref="Eventually"/>.</summary>
internal static class Pace
{
    /// <summary>Lets time pass.</summary>
    public static Task WaitAsync(TimeSpan time) => Task.Delay(time);

    /// <summary>Never ends, unless it is cancelled.</summary>
    public static Task NeverAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);
}
