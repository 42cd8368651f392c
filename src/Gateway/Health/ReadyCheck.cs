using Gateway.Admission;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Gateway.Health;

/// <summary>Whether this replica is ready for traffic: started, not stopping, queue not full, and the required clusters available.</summary>
internal sealed class ReadyCheck(Drain drain, BundlePermits admission, IProxyStateLookup proxy, IOptions<ReadyOptions> options) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check());

    private HealthCheckResult Check()
    {
        if (drain.IsDraining)
        {
            return HealthCheckResult.Unhealthy("draining");
        }

        if (!drain.IsStarted)
        {
            return HealthCheckResult.Unhealthy("starting");
        }

        if (admission.IsFull)
        {
            return HealthCheckResult.Unhealthy("full");
        }

        foreach (var name in options.Value.RequiredClusters)
        {
            if (!proxy.TryGetCluster(name, out var cluster) || !cluster.DestinationsState.AllDestinations.Any(IsHealthy))
            {
                return HealthCheckResult.Unhealthy($"cluster '{name}' has no healthy destination");
            }
        }

        return HealthCheckResult.Healthy();
    }

    // YARP's default policy sends requests to unhealthy destinations if there are no others. They are available, but not healthy.
    private static bool IsHealthy(DestinationState destination) =>
        destination.Health is { Active: not DestinationHealth.Unhealthy, Passive: not DestinationHealth.Unhealthy };
}
