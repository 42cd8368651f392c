using System.Text;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Upstreams;

/// <summary>YARP's client of a cluster, with what bundles need around its sockets.</summary>
internal sealed class ClusterClientFactory(
    IOptions<UpstreamOptions> options, IEnumerable<IProxyConfigProvider> configuration, TimeProvider time, ILogger<ForwarderHttpClientFactory> logger)
    : ForwarderHttpClientFactory(logger)
{
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(15);

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        var half = options.Value.FirstByteTimeout / 2;
        handler.ConnectTimeout = half < LongestConnect ? half : LongestConnect;

        // A body that is not wanted any more is closed at once: reading its rest would keep pulling for a client that has left.
        handler.MaxResponseDrainSize = 0;

        // As the server reads them: a client's header that is not ASCII must not look like a failure of storage.
        handler.RequestHeaderEncodingSelector ??= static (_, _) => Encoding.UTF8;

        if (OperatingSystem.IsLinux() && options.Value.WindowBytes is > 0 and var near && IsOfBundles(context.ClusterId))
        {
            var far = options.Value.MaxWindowBytes;
            handler.ConnectCallback = (connection, cancellationToken) => UpstreamSockets.ConnectAsync(connection, near, far, cancellationToken);
        }
    }

    private bool IsOfBundles(string cluster) => configuration.Any(provider => provider.GetConfig().Routes.Any(route =>
        string.Equals(route.ClusterId, cluster, StringComparison.OrdinalIgnoreCase) && route.Metadata?.ContainsKey(SourceConfig.NameKey) == true));

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) =>
        new AttemptHandler(new FolderHandler(handler), options.Value, time);
}
