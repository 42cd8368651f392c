using Gateway.Telemetry;
using Microsoft.Extensions.Options;

namespace Gateway.Admission;

/// <summary>
/// Stops in three steps: unready at once; a delay in which everything is still served; then no new bundles until the running
/// ones are done or the timeout has passed and they are aborted. After that the host stops the server.
/// </summary>
internal sealed partial class Drain : IHostedLifecycleService, IDisposable
{
    private readonly DrainOptions _options;
    private readonly TimeProvider _time;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ILogger<Drain> _logger;
    private readonly CancellationTokenSource _cut = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The number of running bundles, and a flag that rejects new ones: one variable, so that none can start after the flag is set.
    private const int Closed = int.MinValue;
    private int _state;

    public Drain(IOptions<DrainOptions> options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<Drain> logger)
    {
        _options = options.Value;
        _time = time;
        _lifetime = lifetime;
        _logger = logger;
    }

    public bool IsStarted => _lifetime.ApplicationStarted.IsCancellationRequested;

    public bool IsDraining => _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Fires when running bundles have no time left.</summary>
    public CancellationToken Cut => _cut.Token;

    /// <summary>Registers a new bundle; returns false, without registering it, if no new ones are accepted.</summary>
    public bool TryEnter()
    {
        while (Volatile.Read(ref _state) is >= 0 and var state)
        {
            if (Interlocked.CompareExchange(ref _state, state + 1, state) == state)
            {
                return true;
            }
        }

        return false;
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _state) == Closed)
        {
            _empty.TrySetResult();
        }
    }

    private int Active => Volatile.Read(ref _state) & ~Closed;

    /// <summary>Runs before the server stops; meanwhile the server still responds, to health checks too.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        LogDraining(_logger, _options.Delay.TotalSeconds, _options.Timeout.TotalSeconds, Active);
        await Task.Delay(_options.Delay, _time, cancellationToken);
        if (Interlocked.Or(ref _state, Closed) == 0)
        {
            return;
        }

        try
        {
            await _empty.Task.WaitAsync(_options.Timeout, _time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            LogCut(_logger, Active);
            await _cut.CancelAsync();
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _cut.Dispose();

    [LoggerMessage(EventId = LogEvents.Draining, EventName = nameof(LogEvents.Draining), Level = LogLevel.Information, Message = "Draining: unready now, no new bundles in {DelaySeconds} s, then {TimeoutSeconds} s for those that run; {Active} running")]
    private static partial void LogDraining(ILogger logger, double delaySeconds, double timeoutSeconds, int active);

    [LoggerMessage(EventId = LogEvents.DrainTimedOut, EventName = nameof(LogEvents.DrainTimedOut), Level = LogLevel.Warning, Message = "Draining timed out: {Active} bundles are aborted")]
    private static partial void LogCut(ILogger logger, int active);
}
