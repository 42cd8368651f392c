using System.Diagnostics.CodeAnalysis;
using Gateway.Access;
using Gateway.Admission;
using Gateway.Health;
using Gateway.Links;
using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary><c>POST /bundle/links</c>: takes what <c>POST /bundle</c> takes, and answers with an address for it. Storage is asked for
/// nothing; what the bundle is shows when the link is used.</summary>
internal sealed class LinkEndpoint(
    RequestReader reader,
    BundlePlanner planner,
    SourceAuthorization authorization,
    BundleAdmission admission,
    BundleMemory memory,
    BundleLinks links,
    FailureAnswer failures,
    IOptions<BundleOptions> options,
    Drain drain,
    BundleMetrics metrics,
    TimeProvider time,
    ILogger<LinkEndpoint> logger)
{
    [SuppressMessage("Design", "CA1031", Justification = "Every exception ends as one outcome.")]
    public async Task CreateAsync(HttpContext context)
    {
        var record = new BundleRecord(BundlePurpose.Link);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, drain.Cut);
        try
        {
            await authorization.RequireAnySourceAsync(context);
            using var held = memory.Open(ClientIdentity.From(context));
            var fields = await reader.ReadFieldsAsync(context, held, stop.Token);
            var lifetime = LifetimeOf(fields);
            fields.ExpiresIn = null;
            var request = BundleRequest.Create(fields, options.Value);
            record.Entries = request.Entries.Count;
            await using var plan = await planner.ResolveAsync(request, Caller.Of(context));
            await authorization.RequireAsync(context, plan);

            using var permit = await admission.AcquireAsync(ClientIdentity.From(context), AdmissionKind.Metadata, stop.Token) switch
            {
                ({ } some, _) => some,
                var (_, refusal) => throw BundleRefusal.NotAdmitted(refusal, AdmissionKind.Metadata, context),
            };

            var expires = ExpiryOf(context, lifetime);
            var url = $"{context.Request.PathBase}/bundle/links/{await CreateAsync(fields, expires, ClientIdentity.From(context), stop.Token)}";
            context.Response.Headers.CacheControl = "no-store";
            await failures.RespondAsync(context, () => Results.Created(url, new LinkDocument(url, expires)).ExecuteAsync(context));
        }
        catch (Exception exception)
        {
            record.Failed(exception, context.RequestAborted.IsCancellationRequested, drain.Cut.IsCancellationRequested);
            await failures.SendAsync(context, exception);
        }
        finally
        {
            record.Tell(logger, metrics, 0, TimeSpan.Zero);
        }
    }

    private TimeSpan LifetimeOf(BundleFields fields)
    {
        var most = links.Options.Lifetime;
        return fields.ExpiresIn is not { } seconds ? most
            : seconds >= 1 && seconds <= most.TotalSeconds ? TimeSpan.FromSeconds(seconds)
            : throw BundleRefusal.BadRequest($"expiresIn: from 1 to {(long)most.TotalSeconds} seconds.");
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
            : throw new BundleRefusal(StatusCodes.Status401Unauthorized, "The client's credentials have expired.", Culprit.Client, Stage.Request);
    }

    private async Task<string> CreateAsync(BundleFields fields, DateTimeOffset expires, string client, CancellationToken cancellationToken)
    {
        try
        {
            return await links.CreateAsync(BundleManifest.Of(fields).ToBytes(), expires, client, cancellationToken);
        }
        catch (LinkException e)
        {
            throw BundleRefusal.Of(e);
        }
    }

    private sealed record LinkDocument(string Url, DateTimeOffset Expires);
}
