using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.Admission;

/// <summary>Lets as many bundles run at a time as configured, by the runtime's own limiters; the rest wait, then are refused.</summary>
internal sealed class BundleAdmission : IDisposable
{
    private readonly ConcurrencyLimiter _all;
    private readonly PartitionedRateLimiter<IPAddress> _perClient;

    public BundleAdmission(IOptions<LimitOptions> options)
    {
        var limits = options.Value;
        _all = new ConcurrencyLimiter(new()
        {
            PermitLimit = limits.MaxActive,
            QueueLimit = limits.MaxQueued,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
        _perClient = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address => limits.MaxPerClient == 0
            ? RateLimitPartition.GetNoLimiter(IPAddress.None)
            : RateLimitPartition.GetConcurrencyLimiter(address, _ => new() { PermitLimit = limits.MaxPerClient, QueueLimit = 0 }));
    }

    /// <summary>Every place is taken: another bundle would wait.</summary>
    public bool IsFull => _all.GetStatistics() is { CurrentAvailablePermits: 0 };

    /// <summary>Waits for a turn.</summary>
    /// <returns>The turn, to be disposed; or the status code of the refusal, 429 or 503.</returns>
    public async ValueTask<(IDisposable? Turn, int Refusal)> EnterAsync(IPAddress? client, CancellationToken cancellationToken)
    {
        var own = _perClient.AttemptAcquire(client ?? IPAddress.None);
        if (!own.IsAcquired)
        {
            own.Dispose();
            return (null, StatusCodes.Status429TooManyRequests);
        }

        try
        {
            var turn = await _all.AcquireAsync(1, cancellationToken);
            if (turn.IsAcquired)
            {
                return (new Turn(turn, own), 0);
            }

            turn.Dispose();
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
        _all.Dispose();
        _perClient.Dispose();
    }

    private sealed class Turn(RateLimitLease all, RateLimitLease own) : IDisposable
    {
        public void Dispose()
        {
            all.Dispose();
            own.Dispose();
        }
    }
}
