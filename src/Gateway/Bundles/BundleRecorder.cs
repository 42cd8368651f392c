using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Gateway.Admission;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>Runs the steps of a request. Whatever happens, the client gets one response, and the run has one outcome in the access log and the metrics.</summary>
internal sealed class BundleRecorder(ProblemResponder problems, Drain drain, RunningBundles running, IOptions<ClientOptions> clients, BundleMetrics metrics, ILogger<BundleRecorder> logger)
{
    /// <summary>Runs the steps, responds if they fail, and records the outcome.</summary>
    /// <param name="run">Is disposed of at the end.</param>
    /// <param name="steps">Until the response has started, a failure becomes a problem document; from then on it aborts the connection.</param>
    [SuppressMessage("Design", "CA1031", Justification = "Every exception ends as one outcome; none may reach the server as a tidy end.")]
    public async Task RunAsync(BundleRun run, Func<Task> steps)
    {
        using var owned = run;
        using var span = BundleSpan.Start(run.Operation.ToString(), clients.Value.AcceptTraceContext);
        run.TraceId = Problem.GetTraceId(run.Http);
        using var listed = running.Add(run);
        try
        {
            try
            {
                await steps();
            }
            finally
            {
                await run.ReleaseAsync();
            }
        }
        catch (Exception exception)
        {
            run.Record.Fail(exception, run.Http.RequestAborted, drain.Cut);
            await problems.SendAsync(run.Http, exception, run.Record.Reason);
        }
        finally
        {
            Write(run, span);
        }
    }

    private void Write(BundleRun run, Activity? span)
    {
        var (record, http) = (run.Record, run.Http);

        // Nothing was sent when it failed before the headers left.
        int? status = record.Error is null || http.Response.HasStarted ? http.Response.StatusCode : null;
        var format = run.Bundle is null ? null : FormatNames.GetName(run.Bundle.Request.Recipe.Format);
        var elapsed = record.Elapsed;
        var outcome = new BundleOutcome(run.Operation.ToString(), format, status, record.Reason)
        {
            BytesIn = record.Transfer.Bytes,
            BytesOut = run.Body.Bytes,
            Entries = run.Plan?.Entries.Count ?? run.RequestedEntries,
            Elapsed = elapsed,
            FirstByte = run.Body.FirstByte,
            UpstreamWaited = record.UpstreamWaited,
            ClientWaited = run.Body.Waited,
        };
        metrics.Ended(outcome);
        if (span is not null)
        {
            BundleSpan.Describe(span, outcome);
        }

        var failed = record.Error is not null && record.EntryIndex is { } index && run.Bundle is { } bundle && index < bundle.Entries.Count ? bundle.Entries[index].Object : null;
        AccessLog.Write(
            logger,
            record.Reason.Level,
            [
                ("Purpose", run.Operation),
                ("Origin", record.Reason.Origin),
                ("Reason", record.Reason.Name),
                ("TraceId", run.TraceId),
                ("Client", ClientIdentity.From(http).Replace('\n', ' ')),
                ("Method", http.Request.Method),
                ("Status", status),
                ("Format", format),
                ("Compression", run.Bundle?.Request.Recipe.Compression),
                ("Range", http.Request.Headers.Range.ToString()),
                ("Entries", run.RequestedEntries),
                ("EntriesSent", record.EntriesSent),
                ("Skipped", run.Plan?.Skipped ?? 0),
                ("BytesIn", record.Transfer.Bytes),
                ("BytesOut", run.Body.Bytes),
                ("Seconds", elapsed.TotalSeconds),
                ("UpstreamSeconds", record.UpstreamWaited.TotalSeconds),
                ("ClientSeconds", run.Body.Waited.TotalSeconds),
                ("Retries", record.Transfer.Retries),
                ("Resumes", record.Transfer.Resumes),
                ("EntryIndex", record.EntryIndex),
                ("Source", failed?.Source.Name),
                ("Key", failed?.Key),
                ("Id", failed is null ? record.BadId : null),
                ("Destination", record.StorageFailure?.Destination),
                ("UpstreamStatus", record.StorageFailure?.UpstreamStatusCode),
                ("Error", record.Error),
            ],
            record.Exception);
    }
}
