using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Access;
using Gateway.Admission;
using Gateway.Planning;
using Gateway.Plans;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Runs;
using Gateway.Storage.Http;
using Gateway.Streaming;

namespace Gateway.Bundles;

/// <summary>Runs one bundle request from authorization to outcome. Read it first.</summary>
/// <remarks>Until the response has started, a failure becomes a problem document; from then on it aborts the connection. Step 7, one outcome for
/// each request, is <see cref="BundleRecorder.RunAsync"/>, around all others.</remarks>
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
    public Task ExecuteAsync(BundleRun run, ReadRequest read) => recorder.RunAsync(run, async () =>
    {
        // :: 1 Authorize, before storage is asked for anything.
        await AuthorizeAsync(run, read);

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
            BundleResponse.WriteNotModified(run.Http.Response, run.Plan);
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

    /// <summary>Sends the headers that the archive would have: HEAD.</summary>
    public Task DescribeAsync(BundleRun run, ReadRequest read) => recorder.RunAsync(run, async () =>
    {
        // :: 1 to 3
        var plan = await PlanAsync(run, read);
        planner.Require(plan);

        // :: 4 Negotiate conditions.
        if (BundleConditions.Require(run.Http.Request, plan, states.Versions) == PreconditionResult.NotModified)
        {
            BundleResponse.WriteNotModified(run.Http.Response, plan);
            return;
        }

        // :: 5 Set the headers.
        var state = await states.FindAsync(plan.Identity, run.Stopped);
        BundleResponse.WriteHeaders(run.Http.Response, plan, new ByteSelection(Range: null, plan.Layout?.Length ?? state.End?.Length), state.End?.Sha256);
    });

    /// <summary>Sends the plan as a document.</summary>
    public Task SendPlanAsync(BundleRun run, ReadRequest read) => recorder.RunAsync(run, async () =>
    {
        // :: 1 to 3
        var plan = await PlanAsync(run, read);

        // :: 4 Negotiate conditions.
        var conditions = BundleConditions.Require(run.Http.Request, plan, states.Versions);
        BundleResponse.WritePlanHeaders(run.Http.Response, plan);
        if (conditions == PreconditionResult.NotModified)
        {
            run.Http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        // :: 5 Send the document.
        var state = await states.FindAsync(plan.Identity, run.Stopped);
        await run.ReleaseOpenedAsync();
        var document = PlanDocument.From(plan, plan.Layout?.Length ?? state.End?.Length);
        await problems.RespondAsync(run.Http, () => run.Http.Response.WriteAsJsonAsync(document, PlanJson, run.Stopped));
    });

    /// <summary>Sends one level of a folder as a document, or the sources that can be listed.</summary>
    /// <param name="run">The request.</param>
    /// <param name="read">Reads it. A request without entries is for the sources.</param>
    /// <param name="list">Creates the document.</param>
    public Task ListAsync(BundleRun run, ReadRequest read, Func<Task<FolderDocument>> list) => recorder.RunAsync(run, async () =>
    {
        // :: 1 and 2
        await AuthorizeAsync(run, read);
        await AdmitAsync(run, AdmissionKind.Metadata);

        // :: 3 List, and 5 send the document.
        var document = await list();
        run.Http.Response.Headers.CacheControl = "private, no-store";
        await problems.RespondAsync(run.Http, () => run.Http.Response.WriteAsJsonAsync(document, PlanJson, run.Stopped));
    });

    /// <summary>Creates a link to the bundle. Storage is asked only if the link is pinned to the version that the bundle has now.</summary>
    /// <param name="run">The request.</param>
    /// <param name="read">Reads it.</param>
    /// <param name="create">Creates the link and responds.</param>
    public Task CreateLinkAsync(BundleRun run, ReadRequest read, Func<Task> create) => recorder.RunAsync(run, async () =>
    {
        // :: 1 and 2
        await AuthorizeAsync(run, read);
        await AdmitAsync(run, AdmissionKind.Metadata);

        // :: 3 Plan, as a GET of the link will.
        if (run.Bundle!.Request.IsPinned)
        {
            run.Plan = await planner.CreatePlanAsync(run);
            await run.ReleaseOpenedAsync();
            planner.Require(run.Plan);
        }

        await create();
    });

    private async Task<BundlePlan> PlanAsync(BundleRun run, ReadRequest read)
    {
        await AuthorizeAsync(run, read);
        await AdmitAsync(run, AdmissionKind.Metadata);
        return run.Plan = await planner.CreatePlanAsync(run);
    }

    /// <summary>Reads the request, finds its sources, and authorizes the client for each of them.</summary>
    private async Task AuthorizeAsync(BundleRun run, ReadRequest read)
    {
        var (request, client) = await read(run);
        run.RequestedEntries = request.Entries.Count;
        run.Bundle = await planner.ResolveAsync(request, client);
        if (!request.CarriesRights)
        {
            await authorizer.AuthorizeAsync(run.Http, run.Bundle.Sources);
        }
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
