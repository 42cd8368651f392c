using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Server;

/// <summary>Metadata of endpoints whose responses may pause for long, and which handle stalled clients themselves.</summary>
internal sealed class LongResponse
{
    public static readonly LongResponse Metadata = new();
}

/// <summary>
/// Ends requests of clients that do not read their response. The server's own minimum rate is off, because over HTTP/2 it cannot be
/// disabled for archives alone; without another limit a client that never reads would hold its connection and buffers forever.
/// </summary>
internal sealed class ResponseTimeout(TimeProvider time)
{
    /// <summary>For a short response: an error, a health check. Also for the last bytes of a proxied one.</summary>
    public static readonly TimeSpan Short = TimeSpan.FromSeconds(30);

    // The server's own default. It applies to proxied responses over HTTP/1.1; over both versions YARP ends a copy that makes no progress for the
    // cluster's ActivityTimeout.
    private static readonly MinDataRate MinRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));

    /// <summary>Middleware.</summary>
    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<LongResponse>() is not null)
        {
            await next(context);
            return;
        }

        if (HttpProtocol.IsHttp11(context.Request.Protocol) && context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate ??= MinRate;
        }

        using var timer = time.CreateTimer(static request => ((HttpContext)request!).Abort(), context, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        // From its beginning, because a request body may take longer. A middleware may have removed the endpoint by then.
        context.Response.OnStarting(() =>
        {
            if (context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>() is null)
            {
                timer.Change(Short, Timeout.InfiniteTimeSpan);
            }

            return Task.CompletedTask;
        });
        await next(context);

        // What has been written still waits for the client. A response that YARP has truncated must not be completed.
        if (context.Features.Get<IForwarderErrorFeature>() is null
            && context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true }
            && !context.RequestAborted.IsCancellationRequested)
        {
            timer.Change(Short, Timeout.InfiniteTimeSpan);
            await context.Response.CompleteAsync();
        }
    }
}
