using System.Text.Json.Serialization;
using Gateway.Requests;
using Gateway.Runs;
using Gateway.Storage.Telemetry;

namespace Gateway.Status;

/// <summary>The JSON response of <c>/status</c>. It contains no id of an object, no link, no address of a client or of storage, and no header.</summary>
/// <param name="Version">The version of the gateway.</param>
/// <param name="Started">When the process started.</param>
/// <param name="IsDraining">Whether it shuts down.</param>
/// <param name="Bundles">Requests that run or wait, the oldest first, at most 1,000.</param>
/// <param name="Destinations">The destinations of all sources.</param>
internal sealed record StatusDocument(
    string Version,
    DateTimeOffset Started,
    [property: JsonPropertyName("draining")] bool IsDraining,
    IReadOnlyList<StatusDocument.Bundle> Bundles,
    IReadOnlyList<StatusDocument.Destination> Destinations)
{
    /// <summary>A request that runs.</summary>
    /// <param name="Id">Ends it: <c>POST /status/bundles/{id}/end</c>.</param>
    /// <param name="TraceId">Finds its line in the access log when it has ended.</param>
    /// <param name="Purpose">What it is for.</param>
    /// <param name="Format">The archive's format; null until the request has been read.</param>
    /// <param name="Sources">The sources that it reads.</param>
    /// <param name="Entries">Requested entries.</param>
    /// <param name="EntriesSent">Entries that have been sent.</param>
    /// <param name="BytesIn">Bytes read from storage.</param>
    /// <param name="BytesOut">Bytes sent to the client.</param>
    /// <param name="Seconds">Its age.</param>
    /// <param name="UpstreamSeconds">How long it has waited for storage so far.</param>
    /// <param name="ClientSeconds">How long it has waited for the client so far.</param>
    internal sealed record Bundle(
        string Id,
        string TraceId,
        string Purpose,
        string? Format,
        IReadOnlyList<string> Sources,
        int Entries,
        int EntriesSent,
        long BytesIn,
        long BytesOut,
        double Seconds,
        double UpstreamSeconds,
        double ClientSeconds)
    {
        public static Bundle From(string id, BundleRun run)
        {
            var (record, bundle) = (run.Record, run.Bundle);
            return new Bundle(
                id,
                run.TraceId,
                run.Operation.ToString(),
                bundle is null ? null : FormatNames.GetName(bundle.Request.Recipe.Format),
                bundle is null ? [] : [.. bundle.Sources.Select(source => source.Name).Distinct().Order(StringComparer.Ordinal)],
                run.RequestedEntries,
                record.EntriesSent,
                record.Transfer.Bytes,
                run.Body.Bytes,
                Math.Round(record.Elapsed.TotalSeconds, 3),
                Math.Round(record.UpstreamWaited.TotalSeconds, 3),
                Math.Round(run.Body.Waited.TotalSeconds, 3));
        }
    }

    /// <summary>A destination of a source.</summary>
    /// <param name="Source">The source.</param>
    /// <param name="Name">The destination's id in the configuration.</param>
    /// <param name="IsHealthy">Whether the health checks consider it usable.</param>
    /// <param name="IsBreakerOpen">Whether the circuit breaker refuses requests.</param>
    /// <param name="ConcurrencyLimit">Concurrent requests that it gets at most; null: no limit.</param>
    /// <param name="Answered">Requests of bundles whose response could be used, since the start.</param>
    /// <param name="Failed">Requests of bundles that failed, since the start.</param>
    /// <param name="Bytes">Bytes of objects, since the start.</param>
    internal sealed record Destination(
        string Source,
        string Name,
        [property: JsonPropertyName("healthy")] bool IsHealthy,
        [property: JsonPropertyName("breakerOpen")] bool IsBreakerOpen,
        double? ConcurrencyLimit,
        long Answered,
        long Failed,
        long Bytes)
    {
        public static Destination From(DestinationStatus status) =>
            new(status.Source, status.Destination, status.IsHealthy, status.IsBreakerOpen, status.ConcurrencyLimit is { } limit ? Math.Floor(limit) : null, status.Answered, status.Failed, status.Bytes);
    }
}
