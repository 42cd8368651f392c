using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Server;

/// <summary>
/// Closes an HTTP/2 connection on which no request has run for a while. The server does that itself once all responses have been sent, but
/// ignores the few bytes of a response whose stream the client keeps closed, so without this a connection could stay open indefinitely.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="timeout">How long a connection may be without a request.</param>
internal sealed class Http2IdleTimeout(TimeProvider time, TimeSpan timeout)
{
    private static readonly object Key = new();

    /// <summary>Middleware.</summary>
    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol) || GetActivity(context) is not { } activity)
        {
            await next(context);
            return;
        }

        activity.Begin();
        try
        {
            await next(context);
        }
        finally
        {
            activity.End(timeout);
        }
    }

    private Activity? GetActivity(HttpContext context)
    {
        if (context.Features.Get<IConnectionItemsFeature>()?.Items is not { } items || context.Features.Get<IConnectionLifetimeFeature>() is not { } connection)
        {
            return null;
        }

        lock (items)
        {
            if (!items.TryGetValue(Key, out var activity))
            {
                items[Key] = activity = new Activity(time, connection);
            }

            return (Activity)activity!;
        }
    }

    /// <summary>The requests that run on one connection.</summary>
    private sealed class Activity
    {
        private readonly Lock _lock = new();
        private readonly ITimer _timer;
        private int _running;

        public Activity(TimeProvider time, IConnectionLifetimeFeature connection)
        {
            _timer = time.CreateTimer(static connection => ((IConnectionLifetimeFeature)connection!).Abort(), connection, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            connection.ConnectionClosed.UnsafeRegister(static timer => ((ITimer)timer!).Dispose(), _timer);
        }

        public void Begin()
        {
            lock (_lock)
            {
                _running++;
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        public void End(TimeSpan timeout)
        {
            lock (_lock)
            {
                if (--_running == 0)
                {
                    _timer.Change(timeout, Timeout.InfiniteTimeSpan);
                }
            }
        }
    }
}
