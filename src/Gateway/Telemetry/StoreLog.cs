using System.Collections.Concurrent;
using Gateway.Storage.Failures;

namespace Gateway.Telemetry;

/// <summary>Logs why a store cannot be used. Each reason of each store is logged at most twice a minute, because every request meets it.</summary>
internal sealed partial class StoreLog(ILogger<StoreLog> logger, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    // As many as there are stores and reasons.
    private readonly ConcurrentDictionary<(string Store, string Reason), long> _last = new();

    /// <summary>Logs a failure that an operator has to mend; others are part of a request's own log line.</summary>
    public void Note(string store, StorageException failure)
    {
        if (failure.Reason.Level < LogLevel.Error)
        {
            return;
        }

        var now = time.GetTimestamp();
        var key = (store, failure.Reason.Name);
        if (_last.TryGetValue(key, out var last) ? time.GetElapsedTime(last, now) >= Interval && _last.TryUpdate(key, now, last) : _last.TryAdd(key, now))
        {
            LogFailed(logger, store, failure.Reason.Name, failure.LogDetail is { } detail ? $"{failure.Message} {detail}" : failure.Message);
        }
    }

    /// <summary>Logs the result of the first request to a store.</summary>
    /// <param name="store">The cluster.</param>
    /// <param name="destination">The destination's id.</param>
    /// <param name="fault">What went wrong; null: nothing.</param>
    public void NoteFirst(string store, string destination, string? fault)
    {
        if (fault is null)
        {
            LogResponds(logger, store, destination);
        }
        else
        {
            LogUnavailable(logger, store, destination, fault);
        }
    }

    [LoggerMessage(EventId = LogEvents.StoreFailed, EventName = nameof(LogEvents.StoreFailed), Level = LogLevel.Error, Message = "Store {Store} cannot be used: {Reason}: {Detail}")]
    private static partial void LogFailed(ILogger logger, string store, string reason, string detail);

    [LoggerMessage(EventId = LogEvents.StoreResponds, EventName = nameof(LogEvents.StoreResponds), Level = LogLevel.Information, Message = "Store {Store} responds at destination {Destination}.")]
    private static partial void LogResponds(ILogger logger, string store, string destination);

    [LoggerMessage(EventId = LogEvents.StoreUnavailable, EventName = nameof(LogEvents.StoreUnavailable), Level = LogLevel.Warning, Message = "Store {Store} did not respond to the first request at destination {Destination}: {Fault}.")]
    private static partial void LogUnavailable(ILogger logger, string store, string destination, string fault);
}
