using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Gateway.Access;
using Gateway.Admission;
using Gateway.Failures;
using Gateway.Health;
using Gateway.Links;
using Gateway.Responses;
using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary><c>POST /bundle/links</c>: takes what <c>POST /bundle</c> takes, and returns a URL for it. A pinned link represents
/// the version that the bundle has now, so its objects are checked. Otherwise storage is not asked before the link is used.</summary>
internal sealed class LinkEndpoint(
    RequestReader reader,
    BundlePlanner planner,
    SourceAuthorization authorization,
    BundleAdmission admission,
    BundleMemory memory,
    BundleLinks links,
    ProblemResponder failures,
    IOptions<BundleOptions> options,
    Drain drain,
    BundleMetrics metrics,
    TimeProvider time,
    ILogger<LinkEndpoint> logger)
{
    [SuppressMessage("Design", "CA1031", Justification = "Every exception ends as one outcome.")]
    public async Task CreateAsync(HttpContext context)
    {
        var record = new BundleRecord(BundlePurpose.Link, context);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, drain.Cut);
        try
        {
            await authorization.RequireAnySourceAsync(context);
            using var held = memory.Open(ClientIdentity.From(context));
            var fields = await reader.ReadFieldsAsync(context, held, stop.Token);
            var lifetime = LifetimeOf(fields);
            var isPinned = fields.Pin;
            (fields.ExpiresIn, fields.Pin) = (null, false);
            var request = BundleRequest.Create(fields, options.Value);
            record.Entries = request.Entries.Count;

            // The headers of clients that use a link with its maker's rights are not forwarded, so the objects must be checked without them too.
            await using var plan = await planner.ResolveAsync(request, Caller.Of(context, speaks: !(isPinned && links.Options.CarryRights)));
            record.Plan = plan;
            await authorization.RequireAsync(context, plan);

            using var permit = await admission.AcquireAsync(ClientIdentity.From(context), AdmissionKind.Metadata, stop.Token) switch
            {
                ({ } some, _) => some,
                var (_, refusal) => throw BundleProblemException.NotAdmitted(refusal, AdmissionKind.Metadata, context),
            };

            var etag = isPinned ? await CheckAsync(plan, request.Missing, record, stop.Token) : null;
            var expires = ExpiryOf(context, lifetime);
            var url = $"{context.Request.PathBase}/bundle/links/{await CreateAsync(fields, etag, expires, ClientIdentity.From(context), stop.Token)}";
            context.Response.Headers.CacheControl = "no-store";
            await failures.RespondAsync(context, () => Results.Created(url, new LinkDocument(url, expires, etag)).ExecuteAsync(context));
        }
        catch (Exception exception)
        {
            record.Failed(exception, context.RequestAborted.IsCancellationRequested, drain.Cut.IsCancellationRequested);
            await failures.SendAsync(context, exception);
        }
        finally
        {
            record.Write(logger, metrics, 0, TimeSpan.Zero);
        }
    }

    /// <summary>Checks the objects, as a GET of the link will.</summary>
    /// <returns>The ETag of the bundle.</returns>
    /// <exception cref="BundleProblemException">It cannot be pinned.</exception>
    private async Task<string> CheckAsync(BundlePlan plan, MissingPolicy missing, BundleRecord record, CancellationToken cancellationToken)
    {
        if (missing == MissingPolicy.Abort)
        {
            throw BundleProblemException.BadRequest("pin: with missing=abort the objects are not checked, so the bundle has no ETag. Use missing=fail or missing=skip.");
        }

        using var discovery = new DiscoveryMemory(memory, options.Value.Upstream);
        try
        {
            await planner.CheckAsync(plan, ahead: null, new Lazy<Task<ByteBudget>>(() => discovery.LeaseAsync(plan.DecoderMemory, cancellationToken)), record.Transfer, cancellationToken);
        }
        finally
        {
            // Objects that were read to learn their sizes are held in that memory.
            await plan.DisposeAsync();
        }

        plan.Settle();
        record.Skipped = plan.Skipped;
        planner.Require(plan, missing);
        return plan.ETag ?? throw new BundleProblemException(
            StatusCodes.Status409Conflict,
            "The link cannot be pinned: storage reports no strong ETag for some objects, so their versions cannot be told apart.",
            FailureReason.InvalidRequest,
            [.. plan.Entries.Where(entry => entry.Head!.ETag is null).Select(entry => new EntryError(entry.Index, entry.Id, "has no strong ETag"))]);
    }

    private TimeSpan LifetimeOf(BundleFields fields)
    {
        var most = links.Options.Lifetime;
        return fields.ExpiresIn is not { } seconds ? most
            : seconds >= 1 && seconds <= most.TotalSeconds ? TimeSpan.FromSeconds(seconds)
            : throw BundleProblemException.BadRequest($"expiresIn: from 1 to {(long)most.TotalSeconds} seconds.");
    }

    /// <summary>Whole seconds, as they are in the link. A link that gives its maker's rights ends when these do.</summary>
    private DateTimeOffset ExpiryOf(HttpContext context, TimeSpan lifetime)
    {
        var now = time.GetUtcNow();
        var expires = DateTimeOffset.FromUnixTimeSeconds((long)Math.Ceiling((now + lifetime - DateTimeOffset.UnixEpoch).TotalSeconds));
        if (!links.Options.CarryRights || CredentialExpiry.Of(context) is not { } end || end >= expires)
        {
            return expires;
        }

        return end > now
            ? DateTimeOffset.FromUnixTimeSeconds(end.ToUnixTimeSeconds())
            : throw new BundleProblemException(StatusCodes.Status401Unauthorized, "The client's credentials have expired.", FailureReason.InvalidRequest);
    }

    private async Task<string> CreateAsync(BundleFields fields, string? etag, DateTimeOffset expires, string client, CancellationToken cancellationToken)
    {
        try
        {
            return await links.CreateAsync(BundleManifest.Of(fields).ToBytes(), etag, expires, client, cancellationToken);
        }
        catch (LinkException e)
        {
            throw BundleProblemException.Of(e);
        }
    }

    private sealed record LinkDocument(
        string Url,
        DateTimeOffset Expires,
        [property: JsonPropertyName("etag"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ETag);
}
