using Gateway.Admission;
using Gateway.Links;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Http.Features;
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
    /// <exception cref="BundleRefusal">It cannot be understood or must not be asked; it names every bad entry.</exception>
    public async Task<BundleRequest> ReadAsync(HttpContext context, RequestMemory memory, CancellationToken cancellationToken)
    {
        RequireKnownEnd(context.Request);
        var link = LinkOf(context) is { } token ? await FindAsync(context.Request, token, cancellationToken) : null;
        var fields = link is null ? await ReadFieldsAsync(context, memory, cancellationToken) : await ReadFieldsAsync(link, memory, cancellationToken);
        return fields.ExpiresIn is null
            ? BundleRequest.Create(fields, _options) with { CarriesRights = link is { CarriesRights: true } }
            : throw BundleRefusal.BadRequest("expiresIn: only a link has it.");
    }

    /// <summary>Reads the fields of a request before they are judged.</summary>
    /// <exception cref="BundleRefusal">They cannot be read.</exception>
    public async Task<BundleFields> ReadFieldsAsync(HttpContext context, RequestMemory memory, CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = BundleFields.MaxBodyBytes;
        }

        if (!HttpMethods.IsPost(context.Request.Method))
        {
            return Paid(await BundleFields.ReadAsync(context.Request, _options.Limits.MaxEntries, cancellationToken), memory);
        }

        context.Request.Body = new MeteredStream(context.Request.Body, count => Require(memory.GrowByBody(count)));
        using var patience = new CancellationTokenSource(BodyPatience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return Paid(await BundleFields.ReadAsync(context.Request, _options.Limits.MaxEntries, stop.Token), memory);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new BundleRefusal(
                StatusCodes.Status408RequestTimeout, $"The body of the request took longer than {BodyPatience.TotalSeconds} s.", Culprit.Client, Stage.Request);
        }
        catch (BadHttpRequestException e)
        {
            // Too large, too slow, or not as framed: the server knows the status.
            throw new BundleRefusal(e.StatusCode, "The body of the request cannot be read.", Culprit.Client, Stage.Request, inner: e);
        }
        catch (IOException)
        {
            // The connection broke under the body; the abort token may be told only later.
            throw new ClientException(Stage.Gone);
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
            throw new BundleRefusal(
                refusal,
                refusal == StatusCodes.Status429TooManyRequests
                    ? "The requests of this client hold too much memory. Try again later."
                    : "Too many requests are being read. Try again later.",
                Culprit.Client,
                Stage.Admission);
        }
    }

    private async Task<BundleLink> FindAsync(HttpRequest request, string token, CancellationToken cancellationToken)
    {
        if (request.QueryString.HasValue)
        {
            throw BundleRefusal.BadRequest("A link says everything; its address takes no parameters.");
        }

        try
        {
            return await links.FindAsync(token, cancellationToken);
        }
        catch (LinkException e)
        {
            throw BundleRefusal.Of(e);
        }
    }

    private async Task<BundleFields> ReadFieldsAsync(BundleLink link, RequestMemory memory, CancellationToken cancellationToken)
    {
        try
        {
            Require(memory.GrowByBody(link.MaxContentBytes));
            return Paid(await BundleFields.OfManifestAsync(new MemoryStream(link.Unpack()), _options.Limits.MaxEntries, cancellationToken), memory);
        }
        catch (LinkException e)
        {
            throw BundleRefusal.Of(e);
        }
    }

    /// <summary>HTTP/1.0 ends a body of unknown length by closing the connection: a cut archive would look whole.</summary>
    private static void RequireKnownEnd(HttpRequest request)
    {
        if (HttpProtocol.IsHttp10(request.Protocol) || HttpProtocol.IsHttp09(request.Protocol))
        {
            throw new BundleRefusal(
                StatusCodes.Status505HttpVersionNotsupported,
                "Over HTTP/1.0 an archive that was cut short could not be told from a whole one; use HTTP/1.1 or later.",
                Culprit.Client,
                Stage.Request);
        }
    }
}
