namespace Gateway.Telemetry;

/// <summary>Logs failures of tasks that nothing awaited. There should be none; each one is a bug in the gateway.</summary>
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

    [LoggerMessage(EventId = LogEvents.Unobserved, EventName = nameof(LogEvents.Unobserved), Level = LogLevel.Error, Message = "Unobserved: a task failed, and nothing awaited it")]
    private static partial void LogUnobserved(ILogger logger, Exception exception);
}
