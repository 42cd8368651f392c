using Gateway.Admission;
using Gateway.Failures;
using Gateway.Links;
using Gateway.Responses;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>Reads what a client asks for: from the address, a form, a manifest, or a link that stands for one of these.</summary>
internal sealed class RequestReader(BundleLinks links, IOptions<BundleOptions> options, TimeProvider time)
{
    // 8 MiB at a megabit a second. The server's own bound on slowness is an average: who has sent much at once could take hours for the rest.
    private static readonly TimeSpan BodyPatience = TimeSpan.FromMinutes(1);

    private readonly BundleOptions _options = options.Value;

    /// <summary>The token of a link in the address, or null.</summary>
    public static string? LinkOf(HttpContext context) => context.GetRouteValue("token") as string;

    /// <summary>Reads the request of a bundle.</summary>
    /// <param name="context">The client's request.</param>
    /// <param name="memory">Pays for what is read.</param>
    /// <param name="cancellationToken">Ends the wait for a body.</param>
    /// <exception cref="BundleProblemException">It cannot be understood or must not be asked; it names every bad entry.</exception>
    public async Task<BundleRequest> ReadAsync(HttpContext context, RequestMemory memory, CancellationToken cancellationToken)
    {
        var link = LinkOf(context) is { } token ? await FindAsync(context.Request, token, cancellationToken) : null;
        var fields = link is null ? await ReadFieldsAsync(context, memory, cancellationToken) : ReadFields(link, memory);
        if (fields.ExpiresIn is not null || fields.Pin)
        {
            throw BundleProblemException.BadRequest($"{(fields.Pin ? "pin" : "expiresIn")}: only a link takes it (POST /bundle/links).");
        }

        return BundleRequest.Create(fields, _options) with { CarriesRights = link is { CarriesRights: true }, PinnedETag = link?.ETag };
    }

    /// <summary>Reads the fields of a request before they are checked.</summary>
    /// <exception cref="BundleProblemException">They cannot be read.</exception>
    public async Task<BundleFields> ReadFieldsAsync(HttpContext context, RequestMemory memory, CancellationToken cancellationToken)
    {
        var request = context.Request;
        if (!HttpMethods.IsPost(request.Method))
        {
            return Paid(BundleFields.FromQuery(request.QueryString.Value, _options.Limits.MaxEntries), memory);
        }

        if (request.QueryString.HasValue)
        {
            throw BundleProblemException.BadRequest("A POST takes no parameters in its URL. Put them into the body.");
        }

        var isJson = RequestBody.RequireJsonOrForm(request);
        var body = await ReadBodyAsync(context, memory, cancellationToken);
        return Paid(
            isJson ? BundleFields.FromManifest(body, _options.Limits.MaxEntries) : await BundleFields.FromFormAsync(body, _options.Limits.MaxEntries),
            memory);
    }

    private async Task<ArraySegment<byte>> ReadBodyAsync(HttpContext context, RequestMemory memory, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(BodyPatience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await RequestBody.ReadAsync(context, count => Require(memory.GrowByBody(count)), stop.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new BundleProblemException(
                StatusCodes.Status408RequestTimeout, $"The body of the request took longer than {BodyPatience.TotalSeconds} s.", FailureReason.InvalidRequest);
        }
        catch (BadHttpRequestException e)
        {
            // Too slow, or not as framed: the server knows the status.
            throw new BundleProblemException(e.StatusCode, "The body of the request cannot be read.", FailureReason.InvalidRequest, inner: e);
        }
        catch (IOException)
        {
            // The connection broke in the body; the abort token may be cancelled only later.
            throw new ClientException(FailureReason.ClientGone);
        }
    }

    private static BundleFields Paid(BundleFields fields, RequestMemory memory)
    {
        Require(memory.GrowByEntries(fields.Entries.Count));
        return fields;
    }

    /// <param name="refusal">0, or the status code of the refusal.</param>
    private static void Require(int refusal)
    {
        if (refusal != 0)
        {
            throw new BundleProblemException(
                refusal,
                refusal == StatusCodes.Status429TooManyRequests
                    ? "The requests of this client hold too much memory. Try again later."
                    : "Too many requests are being read. Try again later.",
                FailureReason.LimitReached);
        }
    }

    private async Task<BundleLink> FindAsync(HttpRequest request, string token, CancellationToken cancellationToken)
    {
        // Mail programs and trackers append parameters of their own, which mean nothing here.
        foreach (var pair in new QueryStringEnumerable(request.QueryString.Value))
        {
            if (pair.DecodeName().ToString() is var name && BundleFields.IsParameter(name))
            {
                throw BundleProblemException.BadRequest($"A link takes no parameters: its manifest has decided about '{name}'. Make another link.");
            }
        }

        try
        {
            return await links.FindAsync(token, cancellationToken);
        }
        catch (LinkException e)
        {
            throw BundleProblemException.Of(e);
        }
    }

    private BundleFields ReadFields(BundleLink link, RequestMemory memory)
    {
        try
        {
            Require(memory.GrowByBody(link.MaxContentBytes));
            return Paid(BundleFields.FromManifest(link.Unpack(), _options.Limits.MaxEntries), memory);
        }
        catch (LinkException e)
        {
            throw BundleProblemException.Of(e);
        }
    }
}
