using Gateway.Telemetry;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Server;

/// <summary>
/// Ends a closed connection that the server would count as active forever. When a client resets HTTP/2 streams faster than their
/// responses can be written, Kestrel closes the connection, drops the output of a stream, and then waits for that stream forever. Each such
/// connection would use up one of <c>Kestrel:Limits:MaxConcurrentConnections</c>, so a client could use up all of them.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="logger">Receives a warning for each such connection.</param>
internal sealed partial class LostConnections(TimeProvider time, ILogger<LostConnections> logger)
{
    // Requests are aborted when their connection closes, and end within milliseconds.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>Connection middleware.</summary>
    public ConnectionDelegate Guard(ConnectionDelegate next) => context => ServeAsync(context, next(context));

    private async Task ServeAsync(ConnectionContext context, Task served)
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var timer = time.CreateTimer(static lost => ((TaskCompletionSource)lost!).TrySetResult(), lost, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var closed = context.ConnectionClosed.UnsafeRegister(static timer => ((ITimer)timer!).Change(Grace, Timeout.InfiniteTimeSpan), timer);
        if (await Task.WhenAny(served, lost.Task) == served)
        {
            await served;
            return;
        }

        LogLost(context.ConnectionId);
    }

    [LoggerMessage(EventId = LogEvents.LostConnection, EventName = nameof(LogEvents.LostConnection), Level = LogLevel.Warning, Message = "The connection {ConnectionId} was closed 10 s ago, but its requests have not ended. It is no longer counted as active.")]
    private partial void LogLost(string connectionId);
}
