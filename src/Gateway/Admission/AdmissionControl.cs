using Gateway.Responses;
using Gateway.Server;
using Gateway.Storage.Failures;
using Gateway.Storage.Objects;
using Gateway.Telemetry;

namespace Gateway.Admission;

/// <summary>What an archive needs, and what it can use, in bytes.</summary>
/// <param name="Needed">Without it, the archive cannot be made.</param>
/// <param name="Objects">For objects that are read ahead.</param>
/// <param name="Ranges">For parts of an object that are read ahead.</param>
internal sealed record ArchiveMemory(long Needed, long Objects, long Ranges);

/// <summary>Admits requests: a permit, and for an archive also its memory. While the process drains, it admits none.</summary>
internal sealed class AdmissionControl
{
    // What the server and the client of storage hold for a pair of connections, measured with clients that stand still.
    private const int ConnectionBytes = 384 * 1024;

    private readonly BundlePermits _permits;
    private readonly BundleMemory _memory;
    private readonly Drain _drain;
    private readonly BundleMetrics _metrics;

    public AdmissionControl(BundlePermits permits, BundleMemory memory, Drain drain, BundleMetrics metrics)
    {
        (_permits, _memory, _drain, _metrics) = (permits, memory, drain, metrics);
        metrics.ObserveMemory(() => memory.Leased, memory.Limit);
    }

    /// <summary>Waits for a permit.</summary>
    /// <param name="http">The client's request.</param>
    /// <param name="kind">What it is for.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="BundleProblemException">429 or 503.</exception>
    public async Task<AdmissionLease> AcquireAsync(HttpContext http, AdmissionKind kind, CancellationToken cancellationToken)
    {
        var (permit, refusal) = await _permits.AcquireAsync(ClientIdentity.From(http), kind, cancellationToken);
        if (permit is null)
        {
            throw NotAdmitted(refusal, kind, http);
        }

        if (_drain.TryEnter())
        {
            _metrics.Started();
            return new AdmissionLease(permit, _drain, _metrics);
        }

        permit.Dispose();
        throw BundleProblemException.From(FailureReason.Draining);
    }

    /// <summary>Waits for the permit of a bundle, and for the memory of its archive.</summary>
    /// <param name="http">The client's request.</param>
    /// <param name="needs">What the archive needs.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="BundleProblemException">429 or 503.</exception>
    public async Task<AdmissionLease> AcquireAsync(HttpContext http, ArchiveMemory needs, CancellationToken cancellationToken)
    {
        var lease = await AcquireAsync(http, AdmissionKind.Bundle, cancellationToken);
        try
        {
            var leased = await _memory.EnterAsync(ConnectionBytes + needs.Needed, needs.Objects + needs.Ranges, cancellationToken);
            lease.Add(leased, PrefetchBudget.Divide(leased.Ahead, needs.Objects));
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    private static BundleProblemException NotAdmitted(int statusCode, AdmissionKind kind, HttpContext http)
    {
        var hint = KnownProxies.IsBehindUnknown(http) ? $" All clients of a proxy count as one until it is listed in the option {KnownProxies.Section}." : "";
        var (what, option) = kind == AdmissionKind.Bundle
            ? ("bundles", nameof(LimitOptions.MaxPerClient))
            : ("metadata requests", nameof(LimitOptions.MaxMetadataPerClient));
        return new(
            statusCode,
            statusCode == StatusCodes.Status429TooManyRequests
                ? $"This client has too many {what} running (option {LimitOptions.Section}:{option}).{hint} Try again later."
                : $"Too many {what} are running. Try again later.",
            FailureReason.LimitReached);
    }
}
