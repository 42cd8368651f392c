using Gateway.Access;
using Gateway.Admission;
using Gateway.Bundles;
using Gateway.Links;
using Gateway.Planning;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Failures;
using Gateway.Storage.Sources;

namespace Gateway.Doors;

/// <summary>Creates links: it takes what <c>POST /bundle</c> takes, and returns a URL for it. A pinned link represents
/// the version that the bundle has now, so its objects are checked. Otherwise storage is not asked before the link is used.</summary>
internal sealed class LinkCreator(
    BundleRequestReader reader, SourceAuthorizer authorizer, BundleExecutor executor, AdmissionControl admission, BundlePlanner planner, BundleLinks links, TimeProvider time)
{
    /// <summary>Creates a link.</summary>
    /// <param name="run">The request.</param>
    /// <returns>What the client gets.</returns>
    public async Task<LinkDocument> CreateAsync(BundleRun run)
    {
        await authorizer.RequireAnySourceAsync(run.Http);
        var fields = await reader.ReadBodyAsync(run.Http, run.RequestMemory, run.Stopped);
        var lifetime = GetLifetime(fields);
        await executor.AuthorizeAsync(run, reader.ValidateLink(fields), GetClient(run.Http, fields));
        run.Lease = await admission.AcquireAsync(run.Http, AdmissionKind.Metadata, run.Stopped);
        var etag = fields.Pin ? await GetVersionAsync(run) : null;
        var expires = GetExpiry(run.Http, lifetime);
        try
        {
            var token = await links.CreateAsync(BundleManifest.From(fields).ToBytes(), etag, expires, ClientIdentity.From(run.Http), run.Stopped);
            return new LinkDocument($"{run.Http.Request.PathBase}{BundleEndpoints.Links}/{token}", expires, etag);
        }
        catch (LinkException e)
        {
            throw LinkProblems.From(e);
        }
    }

    /// <summary>The headers of clients that use a link with its creator's rights are not forwarded, so the objects must be checked without them too.</summary>
    private ClientContext GetClient(HttpContext http, BundleFields fields) => ClientContext.From(http, forwardsHeaders: !(fields.Pin && links.Options.CarryRights));

    /// <summary>Checks the objects, as a GET of the link will.</summary>
    /// <returns>The ETag of the bundle.</returns>
    /// <exception cref="BundleProblemException">The link cannot be pinned.</exception>
    private async Task<string> GetVersionAsync(BundleRun run)
    {
        if (run.Bundle!.Request.Missing == MissingPolicy.Abort)
        {
            throw BundleProblemException.BadRequest("pin: with missing=abort the objects are not checked, so the bundle has no ETag. Use missing=fail or missing=skip.");
        }

        run.Plan = await planner.CreatePlanAsync(run);
        planner.Require(run.Plan);
        return run.Plan.ETag ?? throw new BundleProblemException(
            StatusCodes.Status409Conflict,
            "The link cannot be pinned: storage reports no strong ETag for some objects, so their versions cannot be told apart.",
            FailureReason.InvalidRequest,
            [.. run.Plan.Entries.Where(entry => entry.Head!.ETag is null).Select(entry => new EntryError(entry.Index, entry.Id, "has no strong ETag"))]);
    }

    private TimeSpan GetLifetime(BundleFields fields)
    {
        var max = links.Options.Lifetime;
        return fields.ExpiresIn is not { } seconds ? max
            : seconds >= 1 && seconds <= max.TotalSeconds ? TimeSpan.FromSeconds(seconds)
            : throw BundleProblemException.BadRequest($"expiresIn: from 1 to {(long)max.TotalSeconds} seconds.");
    }

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
