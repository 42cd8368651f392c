using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Access;
using Gateway.Admission;
using Gateway.Planning;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Runs;
using Gateway.Storage.Http;
using Gateway.Storage.Sources;
using Gateway.Streaming;

namespace Gateway.Bundles;

/// <summary>Runs one bundle request from authorization to outcome. Read it first.</summary>
/// <remarks>Until step 5 a failure becomes a problem document; from step 6 on it aborts the connection. Step 7, one outcome for each request, is
/// <see cref="BundleRecorder.RunAsync"/>, around all others.</remarks>
internal sealed class BundleExecutor(
    SourceAuthorizer authorizer,
    AdmissionControl admission,
    BundlePlanner planner,
    ResumeStateCache states,
    BundleStreamer streamer,
    BundleRecorder recorder,
    ProblemResponder problems)
{
    private static readonly JsonSerializerOptions PlanJson = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    /// <summary>Sends the archive, or the part of it that the client requests.</summary>
    public Task ExecuteAsync(BundleRun run) => recorder.RunAsync(run, async () =>
    {
        // :: 1 Authorize, before storage is asked for anything.
        await AuthorizeAsync(run);

        // :: 2 Admit. The lease covers everything the run holds until it is released.
        var isConditional = BundleConditions.ArePresent(run.Http.Request);
        await AdmitAsync(run, isConditional ? AdmissionKind.Metadata : AdmissionKind.Bundle);

        // :: 3 Plan. Immutable from here on. Objects that were opened early belong to the run.
        run.Plan = await planner.CreatePlanAsync(run);
        planner.Require(run.Plan);

        // :: 4 Negotiate conditions and range.
        var conditions = BundleConditions.Require(run.Http.Request, run.Plan, states.Versions);
        if (conditions == PreconditionResult.NotModified)
        {
            BundleResponse.WriteNotModified(run.Http.Response, run.Plan, isWeak: false);
            return;
        }

        if (isConditional)
        {
            // The request could have ended in 304 or 412, so it has no permit for an archive yet. While it waits for one it holds nothing.
            await AdmitAsync(run, AdmissionKind.Bundle);
        }

        run.State = await states.GetOrAddAsync(run.Plan.Identity, run.Stopped);
        var selection = await streamer.SelectAsync(run, conditions);

        // :: 5 Set the headers.
        BundleConditions.NoteSent(run.Plan, states.Versions);
        BundleResponse.WriteHeaders(run.Http.Response, run.Plan, selection, run.State.End?.Sha256);

        // :: 6 Stream the selected bytes.
        await streamer.StreamAsync(run, selection);
    });

    /// <summary>Sends what an archive would be: the headers for HEAD, a document for a plan.</summary>
    public Task DescribeAsync(BundleRun run) => recorder.RunAsync(run, async () =>
    {
        // :: 1 to 3
        await AuthorizeAsync(run);
        await AdmitAsync(run, AdmissionKind.Metadata);
        run.Plan = await planner.CreatePlanAsync(run);
        run.State = await states.FindAsync(run.Plan.Identity, run.Stopped);
        var isPlan = run.Operation == BundleOperation.Plan;
        if (!isPlan)
        {
            planner.Require(run.Plan);
        }

        // :: 4 Negotiate conditions.
        if (BundleConditions.Require(run.Http.Request, run.Plan, states.Versions) == PreconditionResult.NotModified)
        {
            BundleResponse.WriteNotModified(run.Http.Response, run.Plan, isWeak: isPlan);
            return;
        }

        // :: 5 The headers, or the document.
        var length = run.Plan.Layout?.Length ?? run.State.End?.Length;
        if (!isPlan)
        {
            BundleResponse.WriteHeaders(run.Http.Response, run.Plan, new ByteSelection(Range: null, length), run.State.End?.Sha256);
            return;
        }

        BundleResponse.WritePlanHeaders(run.Http.Response, run.Plan);
        await run.Opened.DisposeAsync();
        var document = PlanDocument.From(run.Plan, length);
        await problems.RespondAsync(run.Http, () => run.Http.Response.WriteAsJsonAsync(document, PlanJson, run.Stopped));
    });

    /// <summary>Finds the sources of a request, and authorizes the client for each of them.</summary>
    public async Task AuthorizeAsync(BundleRun run, BundleRequest request, ClientContext client)
    {
        run.RequestedEntries = request.Entries.Count;
        run.Bundle = await planner.ResolveAsync(request, client);
        if (!request.CarriesRights)
        {
            await authorizer.AuthorizeAsync(run.Http, run.Bundle.Sources);
        }
    }

    private async Task AuthorizeAsync(BundleRun run)
    {
        var (request, client) = await run.Read!(run);
        await AuthorizeAsync(run, request, client);
    }

    /// <summary>Takes a permit, and for an archive the memory that it needs; what was taken before is returned.</summary>
    private async Task AdmitAsync(BundleRun run, AdmissionKind kind)
    {
        await run.ReleaseLeaseAsync();
        run.Lease = kind == AdmissionKind.Metadata
            ? await admission.AcquireAsync(run.Http, kind, run.Stopped)
            : await admission.AcquireAsync(run.Http, planner.GetMemory(run.Bundle!), run.Stopped);
    }
}
