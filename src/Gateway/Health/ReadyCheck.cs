using Gateway.Admission;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy;

namespace Gateway.Health;

/// <summary>Whether this replica wants traffic: started, not stopping, a place free, and the required clusters reachable.</summary>
internal sealed class ReadyCheck(Drain drain, BundleAdmission admission, IProxyStateLookup proxy, IOptions<ReadyOptions> options) : IHealthCheck
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
            if (!proxy.TryGetCluster(name, out var cluster) || cluster.DestinationsState.AvailableDestinations.Count == 0)
            {
                return HealthCheckResult.Unhealthy($"cluster '{name}' has no available destination");
            }
        }

        return HealthCheckResult.Healthy();
    }
}
