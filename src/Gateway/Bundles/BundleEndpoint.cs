using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Access;
using Gateway.Admission;
using Gateway.Archiving;
using Gateway.Failures;
using Gateway.Health;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>
/// <c>/bundle</c>: the way of one request.
/// <list type="number">
/// <item>(1) lift server limits that are meant for small bodies, parse what is asked for, find the sources, ask whether the client may</item>
/// <item>(2) admit: wait for a turn, and for memory</item>
/// <item>(3) plan: ask storage what the objects are, unless a missing one may cut the stream</item>
/// <item>(4) conditions and ranges: does the client have it already, and how much of it</item>
/// <item>(5) headers: until here a failure is a problem document</item>
/// <item>(6) stream: from here on a failure is an abort</item>
/// <item>(7) record the outcome, once, whatever happened</item>
/// </list>
/// </summary>
internal sealed class BundleEndpoint(
    RequestReader reader,
    BundlePlanner planner,
    BundleStreamer streamer,
    RangeSender ranges,
    SourceAuthorization authorization,
    BundleAdmission admission,
    BundleMemory memory,
    ResumeStateCache archives,
    ProblemResponder failures,
    Drain drain,
    BundleMetrics metrics,
    IOptions<BundleOptions> options,
    TimeProvider time,
    ILogger<BundleEndpoint> logger)
{
    private static readonly JsonSerializerOptions PlanJson = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    // What the server and the client of storage hold for a pair of connections, measured with clients that stand still.
    private const int ConnectionBytes = 384 * 1024;

    private readonly BundleOptions _options = options.Value;

    /// <summary>GET, HEAD and POST of <c>/bundle</c>; GET and HEAD of a link.</summary>
    public Task SendAsync(HttpContext context) =>
        RunAsync(context, HttpMethods.IsHead(context.Request.Method) ? BundlePurpose.Head : BundlePurpose.Archive);

    /// <summary>GET and POST of <c>/bundle/plan</c>.</summary>
    public Task PlanAsync(HttpContext context) => RunAsync(context, BundlePurpose.Plan);

    [SuppressMessage("Design", "CA1031", Justification = "Every exception ends as one outcome; none may reach the server as a tidy end.")]
    private async Task RunAsync(HttpContext context, BundlePurpose purpose)
    {
        var record = new BundleRecord(purpose, context);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, drain.Cut);
        using var client = new ClientWriter(context.Response.BodyWriter, _options.Client, () => admission.Queued > 0, time, stop.Token);
        try
        {
            // Given back after what is held in it.
            using var place = new Place(memory.Open(ClientIdentity.From(context)), new DiscoveryMemory(memory, _options.Upstream));
            if (RequestReader.LinkOf(context) is not null)
            {
                // A short link can stand for a long manifest.
                await EnterAsync(place, context, plan: null, AdmissionKind.Metadata, stop.Token);
            }
            else if (HttpMethods.IsPost(context.Request.Method))
            {
                await authorization.RequireAnySourceAsync(context);
            }

            var request = await reader.ReadAsync(context, place.Request, stop.Token);
            record.Entries = request.Entries.Count;
            var isOnBehalf = request.CarriesRights;
            await using var plan = await planner.ResolveAsync(request, Caller.Of(context, speaks: !isOnBehalf && !Credentials.AreSignedUrl(context)));
            record.Plan = plan;
            if (!isOnBehalf)
            {
                await authorization.RequireAsync(context, plan);
            }

            // A request that may end in 304 or 412 takes a bundle's permit only when it does not.
            var asks = purpose != BundlePurpose.Archive || BundleConditions.ArePresent(context.Request);
            var ahead = await EnterAsync(place, context, plan, asks ? AdmissionKind.Metadata : AdmissionKind.Bundle, stop.Token);
            if (request.Missing != MissingPolicy.Abort || purpose == BundlePurpose.Plan)
            {
                // Of a range nobody knows yet where it begins: objects before it are not to be read.
                var discovery = new Lazy<Task<ByteBudget>>(() => place.Ahead is { } some ? Task.FromResult(some.Objects) : place.Discovery.LeaseAsync(plan.DecoderMemory, stop.Token));
                await record.WaitForUpstreamAsync(planner.CheckAsync(plan, IsRange(context.Request) ? null : ahead?.Objects, discovery, record.Transfer, stop.Token));
            }

            plan.Settle();
            record.Skipped = plan.Skipped;
            var known = await archives.FindAsync(plan.ETag, plan.Layout, plan.HasReceipt, isMade: ahead is not null, stop.Token);
            var length = plan.Layout?.Length ?? known.End?.Length;

            if (purpose != BundlePurpose.Plan)
            {
                planner.Require(plan, request.Missing);
            }

            var conditions = BundleConditions.Require(context.Request, plan, request.PinnedETag, archives.Versions);
            if (conditions == PreconditionResult.NotModified)
            {
                BundleResponse.WriteNotModified(context.Response, plan, isWeak: purpose == BundlePurpose.Plan);
                return;
            }

            if (purpose == BundlePurpose.Plan)
            {
                await AnswerPlanAsync(context, plan, length, stop.Token);
                return;
            }

            if (purpose == BundlePurpose.Archive && ahead is null)
            {
                // Nothing is held while a bundle waits for memory: those that have it might wait for the same.
                await plan.DisposeAsync();
                place.Discovery.Dispose();
                ahead = await EnterAsync(place, context, plan, AdmissionKind.Bundle, stop.Token);
                known = await archives.FindAsync(plan.ETag, plan.Layout, plan.HasReceipt, isMade: true, stop.Token);
            }

            var range = RangeFrom(context.Request, conditions, plan, length);
            if (range is { End: null } && RequestedRange.NeedsLength(context.Request))
            {
                // The rest is made twice: once to see how long the archive is. Where that takes too long, the client gets all of it again.
                length = await ranges.MeasureAsync(plan, known, ahead!, client, record, stop.Token);
                range = length is null ? null : RangeFrom(context.Request, conditions, plan, length);
            }

            if (purpose == BundlePurpose.Archive)
            {
                RequireVisibleEnd(context.Request, range is { } asked ? asked.End : length);
                if (plan is { ETag: { } etag, Modified: { } modified })
                {
                    archives.Versions?.Add(plan.GetRequestHash(), modified, etag);
                }
            }

            if (plan.Layout?.Length is null)
            {
                // Only remembered, or measured a moment ago.
                client.ExpectedLength = range is { } some ? some.End - some.From : length;
            }

            BundleResponse.WriteHead(context.Response, plan, request.Missing, length, known.End?.Sha256, range);
            if (ahead is null)
            {
                return;
            }

            if (range is { } part)
            {
                await ranges.SendAsync(context, plan, known, part, ahead, client, record, stop.Token);
                return;
            }

            await SendWholeAsync(context, plan, known, ahead, client, record, stop.Token);
        }
        catch (Exception exception)
        {
            record.Failed(exception, context.RequestAborted.IsCancellationRequested, drain.Cut.IsCancellationRequested);
            await failures.SendAsync(context, exception);
        }
        finally
        {
            record.Write(logger, metrics, client.Bytes, client.Waited);
        }
    }

    private static bool IsRange(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Headers.Range.Count > 0;

    private static ByteRange? RangeFrom(HttpRequest request, PreconditionResult conditions, BundlePlan plan, long? length) =>
        IsRange(request) && conditions == PreconditionResult.Proceed ? RequestedRange.From(request, plan.ETag, length, plan.Layout?.MaxLength) : null;

    /// <summary>HTTP/1.0 ends a body of unknown length by closing the connection, so a truncated archive would look whole.</summary>
    /// <exception cref="BundleProblemException">505.</exception>
    private static void RequireVisibleEnd(HttpRequest request, long? end)
    {
        if (end is null && (HttpProtocol.IsHttp10(request.Protocol) || HttpProtocol.IsHttp09(request.Protocol)))
        {
            throw new BundleProblemException(
                StatusCodes.Status505HttpVersionNotsupported,
                "The length of this archive is not known in advance. Over HTTP/1.0 the client could not tell a truncated archive from a whole one. "
                + "Use HTTP/1.1 or later; a proxy in front needs 'proxy_http_version 1.1' (nginx) or the like. Or request format=tar or compression=store, whose length is known.",
                FailureReason.InvalidRequest);
        }
    }

    private async Task SendWholeAsync(
        HttpContext context,
        BundlePlan plan,
        ResumeState known,
        AheadMemory ahead,
        ClientWriter client,
        BundleRecord record,
        CancellationToken cancellationToken)
    {
        // Over HTTP/1.1 the server has no trailers; the digest then stands in the head of whatever is asked next.
        // A digest that another replica has computed is compared before the last byte leaves.
        var end = known.End;
        using var digest = (end?.Sha256 is null ? ReprDigest.IsWanted(context.Request) : end.IsHashLearned) ? new DigestWriter(client) : null;
        var hasTrailer = digest is not null && end?.Sha256 is null && context.Response.SupportsTrailers();
        if (hasTrailer)
        {
            context.Response.DeclareTrailer(ReprDigest.Header);
        }

        await context.Response.StartAsync(cancellationToken);
        try
        {
            await streamer.StreamAsync(plan, default, known.Facts, ahead, (PipeWriter?)digest ?? client, record, cancellationToken);
            if (digest is not null && end?.Sha256 is { } expected && !digest.Hash.AsSpan().SequenceEqual(expected))
            {
                throw client.Unexpected();
            }

            await client.EndAsync();
        }
        catch (StorageException) when (client.IsUnexpected)
        {
            known.Forget();
            throw;
        }

        var hash = digest?.Hash;
        if (hasTrailer)
        {
            context.Response.AppendTrailer(ReprDigest.Header, ReprDigest.ValueOf(hash!));
        }

        known.Ended(client.Bytes, hash);
    }

    /// <summary>Takes a permit, and for a bundle the memory that its archive needs; what was taken before is given back.</summary>
    /// <returns>What may be read ahead; null for a metadata request.</returns>
    private async Task<AheadMemory?> EnterAsync(Place place, HttpContext context, BundlePlan? plan, AdmissionKind kind, CancellationToken cancellationToken)
    {
        place.Leave();
        place.Permit = await AdmitAsync(context, kind, cancellationToken);
        if (kind == AdmissionKind.Bundle)
        {
            place.Lease = await LeaseAsync(plan!, cancellationToken);
            place.Ahead = AheadMemory.Divide(place.Lease.Ahead, AheadMemory.ObjectsOf(plan!, _options.Upstream));
        }

        return place.Ahead;
    }

    private async Task<IDisposable> AdmitAsync(HttpContext context, AdmissionKind kind, CancellationToken cancellationToken)
    {
        var (permit, refusal) = await admission.AcquireAsync(ClientIdentity.From(context), kind, cancellationToken);
        if (permit is null)
        {
            throw BundleProblemException.NotAdmitted(refusal, kind, context);
        }

        if (drain.TryEnter())
        {
            metrics.Started();
            return new Running(permit, drain, metrics);
        }

        permit.Dispose();
        throw BundleProblemException.From(FailureReason.Draining);
    }

    private Task<MemoryLease> LeaseAsync(BundlePlan plan, CancellationToken cancellationToken)
    {
        var upstream = _options.Upstream;
        return memory.EnterAsync(
            ConnectionBytes + plan.DecoderMemory + (2 * upstream.SmallObject) + ArchiveWriter.MemoryOf(plan.Recipe, _options.Compression.MostWorkers),
            AheadMemory.ObjectsOf(plan, upstream) + AheadMemory.RangesOf(plan, upstream),
            cancellationToken);
    }

    private async Task AnswerPlanAsync(HttpContext context, BundlePlan plan, long? length, CancellationToken cancellationToken)
    {
        var document = PlanDocument.Of(plan, length);
        BundleResponse.WritePlanHeaders(context.Response, plan);
        await plan.DisposeAsync();
        await failures.RespondAsync(context, () => context.Response.WriteAsJsonAsync(document, PlanJson, cancellationToken));
    }

    /// <summary>What a request holds while it is served.</summary>
    private sealed class Place(RequestMemory request, DiscoveryMemory discovery) : IDisposable
    {
        /// <summary>The memory of what the request says, until its outcome.</summary>
        public RequestMemory Request { get; } = request;

        public IDisposable? Permit { get; set; }

        public MemoryLease? Lease { get; set; }

        /// <summary>For objects that were read to learn their sizes; the plan keeps them.</summary>
        public DiscoveryMemory Discovery { get; } = discovery;

        /// <summary>What of the lease may be filled ahead; the pooled buffers in it go back before it does.</summary>
        public AheadMemory? Ahead { get; set; }

        public void Leave()
        {
            Debug.Assert(Ahead is null or { Objects.IsWhole: true, Ranges.IsWhole: true }, "A buffer was rented and not returned.");
            Lease?.Dispose();
            Permit?.Dispose();
            (Ahead, Lease, Permit) = (null, null, null);
        }

        public void Dispose()
        {
            Leave();
            Discovery.Dispose();
            Request.Dispose();
        }
    }

    private sealed class Running(IDisposable permit, Drain drain, BundleMetrics metrics) : IDisposable
    {
        public void Dispose()
        {
            metrics.Stopped();
            drain.Leave();
            permit.Dispose();
        }
    }
}
