using Gateway.Storage.Failures;

namespace Gateway.Telemetry;

/// <summary>What the metrics keep of a request that has ended.</summary>
/// <param name="Purpose">What it was for: an archive, its headers, a plan, a link or a listing.</param>
/// <param name="Format">The format of the archive; null if the request could not be read.</param>
/// <param name="Status">The status of the response; null if nothing was sent.</param>
/// <param name="Reason">Why it ended.</param>
internal sealed record BundleOutcome(string Purpose, string? Format, int? Status, FailureReason Reason)
{
    public long BytesIn { get; init; }

    public long BytesOut { get; init; }

    public int Entries { get; init; }

    public TimeSpan Elapsed { get; init; }

    /// <summary>When the first byte of an archive was written, from the arrival of the request; null if none was.</summary>
    public TimeSpan? FirstByte { get; init; }

    public TimeSpan UpstreamWaited { get; init; }

    public TimeSpan ClientWaited { get; init; }
}
