using System.Threading.RateLimiting;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;

namespace Gateway.Admission;

/// <summary>Lets as many bundles run at a time as configured, by the runtime's own limiters; the rest wait, then are refused.</summary>
internal sealed class BundleAdmission : IDisposable
{
    private readonly int _places;
    private readonly ConcurrencyLimiter _all;
    private readonly ConcurrencyLimiter _questions;
    private readonly PartitionedRateLimiter<string> _perClient;

    public BundleAdmission(IOptions<LimitOptions> options, BundleMetrics metrics)
    {
        var limits = options.Value;
        _places = limits.MaxActive;
        var places = new ConcurrencyLimiterOptions
        {
            PermitLimit = limits.MaxActive,
            QueueLimit = limits.MaxQueued,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        };
        _all = new ConcurrencyLimiter(places);
        metrics.ObserveQueue(() => _all.GetStatistics()!.CurrentQueuedCount);
        _questions = new ConcurrencyLimiter(places);
        _perClient = PartitionedRateLimiter.Create<string, string>(client => limits.MaxPerClient == 0
            ? RateLimitPartition.GetNoLimiter("")
            : RateLimitPartition.GetConcurrencyLimiter(client, _ => new() { PermitLimit = limits.MaxPerClient, QueueLimit = 0 }));
    }

    /// <summary>Every place is taken: another bundle would wait.</summary>
    public bool IsFull => _all.GetStatistics() is { CurrentAvailablePermits: 0 };

    /// <summary>Bundles that run, and requests that only ask.</summary>
    public long Taken => (2L * _places) - _all.GetStatistics()!.CurrentAvailablePermits - _questions.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>Who is counted as one client: whoever is known by name, else an address. Holders of signed addresses have no name.</summary>
    public static string ClientOf(HttpContext context) => context.User.Identity is { IsAuthenticated: true, Name: { } name }
        ? $"{context.User.Identity.AuthenticationType}:{name}"
        : $"{context.Connection.RemoteIpAddress}";

    /// <summary>Waits for a turn.</summary>
    /// <param name="client">Whose it is: <see cref="ClientOf"/>.</param>
    /// <param name="isCharged">False for requests that only ask about a bundle: they count against nobody's bundles, but as
    /// many at a time as bundles are enough, because each may make thousands of requests to storage.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The turn, to be disposed; or the status code of the refusal, 429 or 503.</returns>
    public async Task<(IDisposable? Turn, int Refusal)> EnterAsync(string client, bool isCharged, CancellationToken cancellationToken)
    {
        if (!isCharged)
        {
            var question = await _questions.AcquireAsync(1, cancellationToken);
            return question.IsAcquired ? (question, 0) : (null, StatusCodes.Status503ServiceUnavailable);
        }

        var own = _perClient.AttemptAcquire(client);
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
        _questions.Dispose();
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
