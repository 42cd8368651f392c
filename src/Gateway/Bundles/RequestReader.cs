using Gateway.Admission;
using Gateway.Links;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>Reads what a client asks for: from the address, a form, a manifest, or a link that stands for one of these.</summary>
internal sealed class RequestReader(BundleLinks links, BundleMemory memory, IOptions<BundleOptions> options, TimeProvider time)
{
    // 8 MiB at a megabit a second. The server's own bound on slowness is an average: who has sent much at once could take hours for the rest.
    private static readonly TimeSpan BodyPatience = TimeSpan.FromMinutes(1);

    private readonly BundleOptions _options = options.Value;

    /// <summary>The token of a link in the address, or null.</summary>
    public static string? LinkOf(HttpContext context) => context.GetRouteValue("token") as string;

    /// <summary>Reads the request of a bundle.</summary>
    /// <exception cref="BundleRefusal">It cannot be understood or must not be asked; it names every bad entry.</exception>
    public async Task<BundleRequest> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        RequireKnownEnd(context.Request);
        var link = LinkOf(context) is { } token ? await FindAsync(context.Request, token, cancellationToken) : null;
        var fields = link is null ? await ReadFieldsAsync(context, cancellationToken) : await ReadFieldsAsync(link, cancellationToken);
        return fields.ExpiresIn is null
            ? BundleRequest.Create(fields, _options) with { CarriesRights = link is { CarriesRights: true } }
            : throw BundleRefusal.BadRequest("expiresIn: only a link has it.");
    }

    /// <summary>Reads the fields of a request before they are judged.</summary>
    /// <exception cref="BundleRefusal">They cannot be read.</exception>
    public async Task<BundleFields> ReadFieldsAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = BundleFields.MaxBodyBytes;
        }

        if (!HttpMethods.IsPost(context.Request.Method))
        {
            return await BundleFields.ReadAsync(context.Request, _options.Limits.MaxEntries, cancellationToken);
        }

        using var lease = await memory.EnterBodyAsync(context.Request.ContentLength ?? BundleFields.MaxBodyBytes, cancellationToken)
            ?? throw new BundleRefusal(StatusCodes.Status503ServiceUnavailable, "As many requests are being read as may.", Culprit.Client, Stage.Admission);
        using var patience = new CancellationTokenSource(BodyPatience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await BundleFields.ReadAsync(context.Request, _options.Limits.MaxEntries, stop.Token);
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

    private async Task<BundleFields> ReadFieldsAsync(BundleLink link, CancellationToken cancellationToken)
    {
        try
        {
            return await BundleFields.OfManifestAsync(new MemoryStream(link.Unpack()), _options.Limits.MaxEntries, cancellationToken);
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
