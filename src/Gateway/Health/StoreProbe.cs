using Gateway.Storage.Stores;
using Gateway.Telemetry;
using Yarp.ReverseProxy;

namespace Gateway.Health;

/// <summary>Sends one request to every store when the server has started: the search for credentials begins before the first client waits for it, and the log shows
/// what is wrong. It never stops the start, and readiness does not depend on it.</summary>
internal sealed class StoreProbe(IProxyStateLookup clusters, StoreCatalogue stores, StoreLog log, IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        await Task.WhenAll(stores.Clusters.Select(store => ProbeAsync(store, stoppingToken)));
    }

    private async Task ProbeAsync(string store, CancellationToken cancellationToken)
    {
        if (!clusters.TryGetCluster(store, out var cluster))
        {
            return;
        }

        foreach (var (id, destination) in cluster.Destinations)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, destination.Model.Config.Address);
                using var response = await cluster.Model.HttpClient.SendAsync(request, cancellationToken);
                log.NoteFirst(store, id, (int)response.StatusCode);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                // Requests report it with its cause, and health checks observe it.
            }
        }
    }
}
