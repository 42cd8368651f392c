using System.Diagnostics;
using Gateway.Admission;
using Gateway.Failures;
using Gateway.Responses;
using Gateway.Telemetry;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>What is known of one request for a bundle. It is written to the access log once, when the request has ended, whatever happened.</summary>
internal sealed class BundleRecord(BundlePurpose purpose, HttpContext context)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly string _traceId = Problem.TraceIdOf(context);
    private StorageException? _upstream;
    private string? _badId;

    public TransferCounters Transfer { get; } = new();

    /// <summary>What was asked for; null when that could not be understood.</summary>
    public BundlePlan? Plan { get; set; }

    public int Entries { get; set; }

    public int Skipped { get; set; }

    public int EntriesSent { get; set; }

    /// <summary>The entry being worked on, by its index in the request.</summary>
    public int? EntryIndex { get; set; }

    public TimeSpan UpstreamWaited { get; private set; }

    public FailureReason Reason { get; private set; } = FailureReason.None;

    /// <summary>What went wrong, in words; null when nothing did.</summary>
    public string? Error { get; private set; }

    public Exception? Exception { get; private set; }

    /// <summary>Waits for storage and counts the time.</summary>
    public async Task WaitForUpstreamAsync(Task task)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await task;
        }
        finally
        {
            UpstreamWaited += Stopwatch.GetElapsedTime(started);
        }
    }

    /// <summary>Notes why it ended before its end.</summary>
    public void Failed(Exception exception, bool clientGone, bool drained)
    {
        Reason = exception switch
        {
            BundleProblemException problem => problem.Reason,
            StorageException storage => storage.Reason,
            ClientException client => client.Reason,

            // The server ends the connection of a flush that is cancelled, so a cut of ours looks like a client that left.
            OperationCanceledException when drained => FailureReason.Draining,
            _ when clientGone => FailureReason.ClientGone,
            _ => FailureReason.Fault,
        };
        if (exception is BundleProblemException { Errors: [{ Index: var index, Id: var id }, ..] })
        {
            (EntryIndex, _badId) = (index, id);
        }

        var cause = exception is BundleProblemException { InnerException: { } inner } ? inner : exception;
        _upstream = cause as StorageException;
        Error = _upstream?.LogDetail is { } detail ? $"{cause.Message} {detail}" : cause.Message;
        Exception = Reason.Origin switch
        {
            _ when Reason == FailureReason.Fault => cause,
            FailureOrigin.Upstream => cause.InnerException,
            _ => null,
        };
    }

    /// <summary>The one line and the one count.</summary>
    public void Write(ILogger logger, BundleMetrics metrics, long bytesOut, TimeSpan clientWaited)
    {
        metrics.Ended(purpose.ToString(), Reason, Transfer.Bytes, bytesOut);
        var failed = Error is not null && EntryIndex is { } index && Plan is { } plan && index < plan.All.Count ? plan.All[index].Request : null;
        AccessLog.Write(
            logger,
            Reason.Level,
            [
                ("Purpose", purpose),
                ("Origin", Reason.Origin),
                ("Reason", Reason.Name),
                ("TraceId", _traceId),
                ("Client", ClientIdentity.From(context).Replace('\n', ' ')),
                ("Method", context.Request.Method),

                // Nothing was sent when it failed before the headers left.
                ("Status", Error is null || context.Response.HasStarted ? context.Response.StatusCode : null),
                ("Format", Plan is null ? null : FormatNames.Of(Plan.Recipe.Format)),
                ("Compression", Plan?.Recipe.Compression),
                ("Range", context.Request.Headers.Range.ToString()),
                ("Entries", Entries),
                ("EntriesSent", EntriesSent),
                ("Skipped", Skipped),
                ("BytesIn", Transfer.Bytes),
                ("BytesOut", bytesOut),
                ("Seconds", Stopwatch.GetElapsedTime(_started).TotalSeconds),
                ("UpstreamSeconds", UpstreamWaited.TotalSeconds),
                ("ClientSeconds", clientWaited.TotalSeconds),
                ("Retries", Transfer.Retries),
                ("Resumes", Transfer.Resumes),
                ("EntryIndex", EntryIndex),
                ("Source", failed?.Source.Name),
                ("Key", failed?.Key),
                ("Id", failed is null ? _badId : null),
                ("Destination", _upstream?.Destination),
                ("UpstreamStatus", _upstream?.UpstreamStatusCode),
                ("Error", Error),
            ],
            Exception);
    }
}
