using Gateway.Telemetry;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Hosting;

/// <summary>Logs and counts every change of the configuration that YARP has applied or refused. YARP itself logs why it refuses one.</summary>
internal sealed partial class ReloadListener(BundleMetrics metrics, ILogger<ReloadListener> logger) : IConfigChangeListener
{
    private bool _hasStarted;

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) => Refuse();

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
        // It is checked next.
    }

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception) => Refuse();

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
        if (!_hasStarted)
        {
            _hasStarted = true;
            return;
        }

        metrics.Reloaded(isApplied: true);
        var (routes, clusters) = (proxyConfigs.Sum(configuration => configuration.Routes.Count), proxyConfigs.Sum(configuration => configuration.Clusters.Count));
        LogApplied(logger, routes, clusters);
    }

    private void Refuse()
    {
        metrics.Reloaded(isApplied: false);
        LogRefused(logger);
    }

    [LoggerMessage(EventId = LogEvents.ConfigurationApplied, EventName = nameof(LogEvents.ConfigurationApplied), Level = LogLevel.Information, Message = "The routes and clusters of the changed configuration are in effect: {Routes} routes, {Clusters} clusters.")]
    private static partial void LogApplied(ILogger logger, int routes, int clusters);

    [LoggerMessage(EventId = LogEvents.ConfigurationRefused, EventName = nameof(LogEvents.ConfigurationRefused), Level = LogLevel.Error, Message = "The changed configuration is not valid. The previous one stays active.")]
    private static partial void LogRefused(ILogger logger);
}
