using System.Diagnostics;
using System.Net;
using System.Text;
using Gateway.Storage.Connections;
using Gateway.Storage.Sources;
using Gateway.Storage.Stores;
using Gateway.Storage.Stores.Folder;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Storage.SubRequests;

/// <summary>Creates YARP's client of a cluster, with what bundles need around its connections.</summary>
internal sealed class ClusterClientFactory(
    IOptions<UpstreamOptions> options, IEnumerable<IProxyConfigProvider> configuration, FailureCounts failures, DestinationGuards guards, TimeProvider time, StoreCatalogue stores, ILogger<ForwarderHttpClientFactory> logger)
    : ForwarderHttpClientFactory(logger)
{
    private static readonly TimeSpan MaxConnectTimeout = TimeSpan.FromSeconds(15);

    // Load balancers and stores commonly close idle connections after 60 s or more. Half of that leaves few for them to close, and still
    // outlasts the pauses within a bundle.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(30);

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) =>
        new AttemptHandler(
            new FolderHandler(stores.Wrap(context.ClusterId, new ConnectionPools((SocketsHttpHandler)handler, () => CreateHandler(context), time))),
            context.ClusterId,
            options.Value,
            SourceConfig.GetConcurrency(context.NewMetadata),
            failures,
            guards,
            time);

    protected override bool CanReuseOldClient(ForwarderHttpClientContext context) =>
        base.CanReuseOldClient(context) && SourceConfig.GetConcurrency(context.OldMetadata) == SourceConfig.GetConcurrency(context.NewMetadata);

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        var half = options.Value.FirstByteTimeout / 2;
        handler.ConnectTimeout = half < MaxConnectTimeout ? half : MaxConnectTimeout;
        handler.PooledConnectionIdleTimeout = IdleTimeout;

        // HTTP/2: a connection whose peer does not reply to a ping is closed. HTTP/1.1 relies on TCP keep-alive.
        handler.KeepAlivePingDelay = UpstreamSockets.KeepAliveDelay;
        handler.KeepAlivePingTimeout = UpstreamSockets.KeepAliveDelay;

        // A body that is no longer wanted is closed at once: draining it would keep reading for a client that has left.
        handler.MaxResponseDrainSize = 0;

        // Decoded as the server decodes them: a non-ASCII client header must not look like a failure of storage.
        handler.RequestHeaderEncodingSelector ??= static (_, _) => Encoding.UTF8;

        var near = OperatingSystem.IsLinux() && IsOfBundles(context.ClusterId) ? options.Value.WindowBytes : 0;
        var far = options.Value.MaxWindowBytes;
        handler.ConnectCallback = (connection, cancellationToken) => UpstreamSockets.ConnectAsync(connection, near, far, cancellationToken);
    }

    /// <summary>A handler like YARP's: no redirects, decompression, cookies or proxy.</summary>
    private SocketsHttpHandler CreateHandler(ForwarderHttpClientContext context)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            EnableMultipleHttp2Connections = true,
            ActivityHeadersPropagator = new ReverseProxyPropagator(DistributedContextPropagator.Current),
        };
        ConfigureHandler(context, handler);
        return handler;
    }

    private bool IsOfBundles(string cluster) => configuration.Any(provider => provider.GetConfig().Routes.Any(route =>
        string.Equals(route.ClusterId, cluster, StringComparison.OrdinalIgnoreCase) && route.Metadata?.ContainsKey(SourceConfig.NameKey) == true));
}
