using System.Threading.RateLimiting;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;

namespace Gateway.Admission;

/// <summary>The kind of permit.</summary>
internal enum AdmissionKind
{
    /// <summary>An archive.</summary>
    Bundle,

    /// <summary>HEAD, a plan, a link, or a condition that may end in 304. It needs no bundle permit, but may send thousands of
    /// requests to storage.</summary>
    Metadata,
}

/// <summary>Limits concurrent bundles and metadata requests with the runtime's rate limiters. Others wait; a full queue rejects them.</summary>
internal sealed class BundlePermits : IDisposable
{
    private readonly LimitOptions _limits;
    private readonly ConcurrencyLimiter _bundles;
    private readonly ConcurrencyLimiter _metadata;
    private readonly PartitionedRateLimiter<string> _bundlesPerClient;
    private readonly PartitionedRateLimiter<string> _metadataPerClient;

    public BundlePermits(IOptions<LimitOptions> options, BundleMetrics metrics)
    {
        _limits = options.Value;
        var permits = new ConcurrencyLimiterOptions
        {
            PermitLimit = _limits.MaxActive,
            QueueLimit = _limits.MaxQueued,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        };
        _bundles = new ConcurrencyLimiter(permits);
        _metadata = new ConcurrencyLimiter(permits);
        _bundlesPerClient = PerClient(_limits.MaxPerClient);
        _metadataPerClient = PerClient(_limits.MaxMetadataPerClient);
        metrics.ObserveQueue(() => Queued, _limits.MaxActive);
    }

    /// <summary>Bundles that wait for a permit.</summary>
    public long Queued => _bundles.GetStatistics()!.CurrentQueuedCount;

    /// <summary>Whether another bundle would be rejected: every permit is in use, and the queue is full.</summary>
    public bool IsFull => _bundles.GetStatistics() is { CurrentAvailablePermits: 0 } statistics && statistics.CurrentQueuedCount >= _limits.MaxQueued;

    /// <summary>Permits in use, of both kinds.</summary>
    public long Taken => (2L * _limits.MaxActive) - _bundles.GetStatistics()!.CurrentAvailablePermits - _metadata.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>Waits for a permit.</summary>
    /// <param name="client">The client's identity, see <see cref="ClientIdentity"/>.</param>
    /// <param name="kind">The kind of permit.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The permit, to be disposed; or the status code of the rejection, 429 or 503.</returns>
    public async Task<(IDisposable? Permit, int Refusal)> AcquireAsync(string client, AdmissionKind kind, CancellationToken cancellationToken)
    {
        var (all, perClient) = kind == AdmissionKind.Bundle ? (_bundles, _bundlesPerClient) : (_metadata, _metadataPerClient);
        var own = perClient.AttemptAcquire(client);
        if (!own.IsAcquired)
        {
            own.Dispose();
            return (null, StatusCodes.Status429TooManyRequests);
        }

        try
        {
            var permit = await all.AcquireAsync(1, cancellationToken);
            if (permit.IsAcquired)
            {
                return (new Permit(permit, own), 0);
            }

            permit.Dispose();
        }
        catch
        {
            own.Dispose();
            throw;
        }

        own.Dispose();
        return (null, StatusCodes.Status503ServiceUnavailable);
    }

    public void Dispose()
    {
        _bundles.Dispose();
        _metadata.Dispose();
        _bundlesPerClient.Dispose();
        _metadataPerClient.Dispose();
    }

    /// <param name="permits">Concurrent permits; 0 for no limit.</param>
    private static PartitionedRateLimiter<string> PerClient(int permits) => PartitionedRateLimiter.Create<string, string>(client => permits == 0
        ? RateLimitPartition.GetNoLimiter("")
        : RateLimitPartition.GetConcurrencyLimiter(client, _ => new() { PermitLimit = permits, QueueLimit = 0 }));

    private sealed class Permit(RateLimitLease all, RateLimitLease own) : IDisposable
    {
        public void Dispose()
        {
            all.Dispose();
            own.Dispose();
        }
    }
}
