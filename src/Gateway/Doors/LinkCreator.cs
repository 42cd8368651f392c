using Gateway.Access;
using Gateway.Admission;
using Gateway.Links;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Failures;
using Gateway.Storage.Sources;
using Gateway.Telemetry;

namespace Gateway.Doors;

/// <summary>Creates links: it takes what <c>POST /bundle</c> takes, and returns a URL for it. A pinned link represents
/// the version that the bundle has now, so its objects are checked. Otherwise storage is not asked before the link is used.</summary>
internal sealed class LinkCreator(BundleRequestReader reader, SourceAuthorizer authorizer, BundleLinks links, BundleMetrics metrics, TimeProvider time)
{
    /// <summary>Reads the request for a link.</summary>
    /// <param name="run">The request.</param>
    /// <returns>What is requested, and the fields from which the link is created.</returns>
    public async Task<(BundleRequest Request, ClientContext Client, BundleFields Fields)> ReadAsync(BundleRun run)
    {
        await authorizer.RequireAnySourceAsync(run.Http);
        var fields = await reader.ReadBodyAsync(run.Http, run.RequestMemory, run.Stopped);
        RequireLifetime(fields);
        var request = reader.ValidateLink(fields) with { IsPinned = fields.Pin };
        if (request is { IsPinned: true, Missing: MissingPolicy.Abort })
        {
            throw BundleProblemException.BadRequest("pin: with missing=abort the objects are not checked, so the bundle has no ETag. Use missing=fail or missing=skip.");
        }

        // The headers of clients that use a link with its creator's rights are not forwarded, so the objects must be checked without them too.
        return (request, request.IsPinned && links.Options.CarryRights ? ClientContext.FromWithoutHeaders(run.Http) : ClientContext.From(run.Http), fields);
    }

    /// <summary>Creates the link.</summary>
    /// <param name="run">Its plan is the version that the link is pinned to; null: not pinned.</param>
    /// <param name="fields">What the link represents.</param>
    public async Task<LinkDocument> CreateAsync(BundleRun run, BundleFields fields)
    {
        var etag = run.Plan is { } plan ? GetVersion(plan) : null;
        PinVersions(run.Plan, fields);
        var expires = GetExpiry(run.Http, GetLifetime(fields));
        try
        {
            var token = await links.CreateAsync(BundleManifest.From(fields).ToBytes(), etag, expires, ClientIdentity.From(run.Http), run.Stopped);
            metrics.LinkCreated();
            return new LinkDocument($"{run.Http.Request.PathBase}{BundleEndpoints.Links}/{token}", expires, etag);
        }
        catch (LinkException e)
        {
            throw LinkProblems.From(e);
        }
    }

    /// <summary>Where a store keeps old versions, the link reads those that exist now. A folder is listed again when the link is used.</summary>
    private static void PinVersions(BundlePlan? plan, BundleFields fields)
    {
        foreach (var entry in plan?.Entries ?? [])
        {
            var requested = fields.Entries[entry.RequestIndex];
            fields.Entries[entry.RequestIndex] = requested.IsFolder ? requested : requested with { Version = entry.Head!.Version };
        }
    }

    private static string GetVersion(BundlePlan plan) => plan.ETag ?? throw new BundleProblemException(
        StatusCodes.Status409Conflict,
        "The link cannot be pinned: storage reports no strong ETag for some objects, so their versions cannot be told apart.",
        FailureReason.InvalidRequest,
        [.. plan.Entries.Where(entry => entry.Head!.ETag is null).Select(entry => new EntryError(entry.RequestIndex, entry.Id, "has no strong ETag"))]);

    private void RequireLifetime(BundleFields fields)
    {
        var max = (long)links.Options.Lifetime.TotalSeconds;
        if (fields.ExpiresIn is { } seconds && (seconds < 1 || seconds > max))
        {
            throw BundleProblemException.BadRequest($"expiresIn: from 1 to {max} seconds.");
        }
    }

    private TimeSpan GetLifetime(BundleFields fields) => fields.ExpiresIn is { } seconds ? TimeSpan.FromSeconds(seconds) : links.Options.Lifetime;

    /// <summary>Whole seconds, as they are in the link. A link that gives its creator's rights ends when these do.</summary>
    private DateTimeOffset GetExpiry(HttpContext http, TimeSpan lifetime)
    {
        var now = time.GetUtcNow();
        var expires = DateTimeOffset.FromUnixTimeSeconds((long)Math.Ceiling((now + lifetime - DateTimeOffset.UnixEpoch).TotalSeconds));
        if (!links.Options.CarryRights || CredentialExpiry.From(http) is not { } end || end >= expires)
        {
            return expires;
        }

        return end > now
            ? DateTimeOffset.FromUnixTimeSeconds(end.ToUnixTimeSeconds())
            : throw new BundleProblemException(StatusCodes.Status401Unauthorized, "The client's credentials have expired.", FailureReason.InvalidRequest);
    }
}
