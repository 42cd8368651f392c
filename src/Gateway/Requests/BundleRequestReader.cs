using Gateway.Admission;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Microsoft.Extensions.Options;

namespace Gateway.Requests;

/// <summary>Reads what a client requests, from a query, a form or a manifest, and pays for its memory.</summary>
internal sealed class BundleRequestReader(IOptions<LimitOptions> limits, IOptions<CompressionOptions> compression, IOptions<NameOptions> names, TimeProvider time)
{
    // 8 MiB at a megabit a second. The server's own bound on slowness is an average: a client that has sent much at once could take hours for the rest.
    private static readonly TimeSpan BodyPatience = TimeSpan.FromMinutes(1);

    private readonly int _maxEntries = limits.Value.MaxEntries;

    /// <summary>Reads the parameters of a GET or HEAD.</summary>
    /// <exception cref="BundleProblemException">They cannot be read.</exception>
    public BundleFields ReadQuery(HttpRequest request, RequestMemory memory) => Paid(BundleFields.FromQuery(request.QueryString.Value, _maxEntries), memory);

    /// <summary>Reads the body of a POST: a manifest or a form.</summary>
    /// <exception cref="BundleProblemException">It cannot be read.</exception>
    public async Task<BundleFields> ReadBodyAsync(HttpContext context, RequestMemory memory, CancellationToken cancellationToken)
    {
        if (context.Request.QueryString.HasValue)
        {
            throw BundleProblemException.BadRequest("A POST takes no parameters in its URL. Put them into the body.");
        }

        var isJson = RequestBody.RequireJsonOrForm(context.Request);
        var body = await ReadBytesAsync(context, memory, cancellationToken);
        return Paid(isJson ? BundleFields.FromManifest(body, _maxEntries) : await BundleFields.FromFormAsync(body, _maxEntries), memory);
    }

    /// <summary>Reads a manifest that a link represents.</summary>
    /// <param name="maxBytes">Its bytes at most.</param>
    /// <param name="unpack">Returns it, once there is memory for it.</param>
    /// <param name="memory">Pays for it.</param>
    /// <exception cref="BundleProblemException">It cannot be read.</exception>
    public BundleFields ReadManifest(int maxBytes, Func<byte[]> unpack, RequestMemory memory)
    {
        Require(memory.GrowByBody(maxBytes));
        return Paid(BundleFields.FromLink(unpack(), _maxEntries), memory);
    }

    /// <summary>Checks the fields of a request for an archive or a plan.</summary>
    /// <exception cref="BundleProblemException">It names every bad entry.</exception>
    public BundleRequest Validate(BundleFields fields) => fields.ExpiresIn is null && !fields.Pin
        ? ValidateLink(fields)
        : throw BundleProblemException.BadRequest($"{(fields.Pin ? "pin" : "expiresIn")}: only allowed for links (POST /bundle/links).");

    /// <summary>The same for a request for a link, which has more fields.</summary>
    /// <exception cref="BundleProblemException">It names every bad entry.</exception>
    public BundleRequest ValidateLink(BundleFields fields) => BundleRequest.Create(fields, compression.Value, names.Value);

    private async Task<ArraySegment<byte>> ReadBytesAsync(HttpContext context, RequestMemory memory, CancellationToken cancellationToken)
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

    /// <summary>Ends a request that holds too much memory.</summary>
    /// <param name="refusal">What <see cref="RequestMemory"/> returned: 0, or the status code of the refusal.</param>
    /// <exception cref="BundleProblemException">429 or 503.</exception>
    public static void Require(int refusal)
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
}
