using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Stores;
using Gateway.Telemetry;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Gateway.Health;

/// <summary>Sends one request to every store when the server has started: the search for credentials begins before the first client waits for it, and the log shows
/// what is wrong. It never stops the start, and readiness does not depend on it.</summary>
internal sealed class StoreProbe(IProxyStateLookup clusters, StoreCatalogue stores, StoreLog log, IHostApplicationLifetime lifetime, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        var probes =
            from store in stores.Clusters
            let cluster = clusters.TryGetCluster(store, out var found) ? found : null
            where cluster is not null
            from destination in cluster.Destinations.Values
            select ProbeAsync(cluster, destination, stoppingToken);
        await Task.WhenAll(probes.ToArray());
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is wrong with a store must not stop the server.")]
    private async Task ProbeAsync(ClusterState cluster, DestinationState destination, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, destination.Model.Config.Address);
            using var response = await cluster.Model.HttpClient.SendAsync(request, stop.Token);
            log.NoteFirst(cluster.ClusterId, destination.DestinationId, response.IsSuccessStatusCode ? null : $"status {(int)response.StatusCode}");
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            log.NoteFirst(cluster.ClusterId, destination.DestinationId, e.GetType().Name);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
