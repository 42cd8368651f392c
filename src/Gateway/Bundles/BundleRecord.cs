using System.Diagnostics;
using Gateway.Responses;
using Gateway.Telemetry;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>What is known of one bundle, told once when it has ended, whatever happened.</summary>
internal sealed partial class BundleRecord(BundlePurpose purpose)
{
    private readonly long _started = Stopwatch.GetTimestamp();

    public TransferCounters Transfer { get; } = new();

    public int Entries { get; set; }

    public int Skipped { get; set; }

    public int EntriesSent { get; set; }

    /// <summary>The entry being worked on, by its place in the request.</summary>
    public int? EntryIndex { get; set; }

    public TimeSpan UpstreamWaited { get; set; }

    public Culprit Culprit { get; private set; }

    public Stage Stage { get; private set; }

    public string? Reason { get; private set; }

    public Exception? Exception { get; private set; }

    /// <summary>Notes why it ended before its end.</summary>
    public void Failed(Exception exception, bool clientGone, bool drained)
    {
        (Culprit, Stage) = exception switch
        {
            BundleProblemException refusal => (refusal.Culprit, refusal.Stage),
            UpstreamException upstream => (Culprit.Upstream, upstream.Stage),
            ClientException client => (Culprit.Client, client.Stage),

            // The server ends the connection of a flush that is cancelled, so a cut of ours looks like a client that left.
            OperationCanceledException when drained => (Culprit.Gateway, Stage.Drain),
            _ when clientGone => (Culprit.Client, Stage.Gone),
            _ => (Culprit.Gateway, Stage.Fault),
        };
        EntryIndex = (exception as BundleProblemException)?.Errors is [{ Index: var index }, ..] ? index : EntryIndex;
        var cause = exception is BundleProblemException { InnerException: { } inner } ? inner : exception;
        Reason = cause.Message;
        Exception = (Culprit, Stage) switch
        {
            (Culprit.Gateway, Stage.Fault) => cause,
            (Culprit.Upstream, _) => cause.InnerException,
            _ => null,
        };
    }

    /// <summary>The one line and the one count.</summary>
    public void Tell(ILogger logger, BundleMetrics metrics, long bytesOut, TimeSpan clientWaited)
    {
        metrics.Ended(purpose.ToString(), Culprit, Stage, Transfer.Bytes, bytesOut);
        var level = (Culprit, Stage) switch
        {
            (Culprit.Gateway, Stage.Fault) or (Culprit.Upstream, Stage.Denied) => LogLevel.Error,
            (Culprit.Upstream or Culprit.Gateway, _) => LogLevel.Warning,
            _ => LogLevel.Information,
        };
        var seconds = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        LogOutcome(
            logger,
            level,
            purpose,
            Culprit,
            Stage,
            Entries,
            EntriesSent,
            Skipped,
            EntryIndex,
            Transfer.Bytes,
            bytesOut,
            seconds,
            UpstreamWaited.TotalSeconds,
            clientWaited.TotalSeconds,
            Transfer.Retries,
            Transfer.Resumes,
            Reason,
            Exception);
    }

    [LoggerMessage(
        EventId = 1,
        EventName = "Bundle",
        Message = "{Purpose} {Culprit}/{Stage}: entries {Entries}, sent {EntriesSent}, skipped {Skipped}, at entry {EntryIndex}, bytes in {BytesIn}, bytes out {BytesOut}, seconds {Seconds:0.000}, waiting for upstream {UpstreamSeconds:0.000}, for the client {ClientSeconds:0.000}, retries {Retries}, resumes {Resumes}, {Reason}")]
    private static partial void LogOutcome(
        ILogger logger,
        LogLevel level,
        BundlePurpose purpose,
        Culprit culprit,
        Stage stage,
        int entries,
        int entriesSent,
        int skipped,
        int? entryIndex,
        long bytesIn,
        long bytesOut,
        double seconds,
        double upstreamSeconds,
        double clientSeconds,
        int retries,
        int resumes,
        string? reason,
        Exception? exception);
}
