namespace Gateway.Telemetry;

/// <summary>Says in the log what failed where nobody waited for it. There should be nothing to say; whoever reads it has found a fault of
/// ours.</summary>
internal sealed partial class UnobservedFaults(ILogger<UnobservedFaults> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        TaskScheduler.UnobservedTaskException += Tell;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        TaskScheduler.UnobservedTaskException -= Tell;
        return Task.CompletedTask;
    }

    private void Tell(object? sender, UnobservedTaskExceptionEventArgs e) => LogUnobserved(logger, e.Exception);

    [LoggerMessage(EventId = 6, EventName = "Unobserved", Level = LogLevel.Error, Message = "Unobserved: a task failed, and nobody waited for it")]
    private static partial void LogUnobserved(ILogger logger, Exception exception);
}
