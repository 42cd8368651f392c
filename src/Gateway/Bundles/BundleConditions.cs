using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.Net.Http.Headers;

namespace Gateway.Bundles;

/// <summary>What a request makes its answer depend on: conditions and ranges (RFC 9110, sections 13 and 14; RFC 8673). A condition
/// that cannot be read is one that does not hold.</summary>
internal static class BundleConditions
{
    /// <summary>Whether the client says that it holds an archive, maybe this one.</summary>
    public static bool MayBeKnown(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Headers.IfNoneMatch.Count > 0;

    /// <summary>Whether the client holds this very archive already.</summary>
    /// <exception cref="BundleRefusal">412: it wants another one than there is.</exception>
    public static bool IsNotModified(HttpRequest request, string? etag)
    {
        var headers = request.GetTypedHeaders();
        if (request.Headers.IfMatch.Count > 0 && !headers.IfMatch.Any(tag => Matches(tag, etag, strongly: true)))
        {
            throw new BundleRefusal(
                StatusCodes.Status412PreconditionFailed, "The bundle is not the one that If-Match names.", Culprit.Client, Stage.Request);
        }

        return headers.IfNoneMatch is { Count: > 0 } known && known.Any(tag => Matches(tag, etag, strongly: false));
    }

    /// <summary>The range to send; null for the whole archive, which every range that cannot be served is answered with.</summary>
    /// <param name="request">A GET.</param>
    /// <param name="etag">The archive's validator; without one there are no ranges.</param>
    /// <param name="length">The archive's length, where it is known. If it is less than <paramref name="most"/>, it is only remembered: the
    /// end of a range may be taken from it, because that end is checked while the range is made, but a client is not told that it has
    /// everything.</param>
    /// <param name="most">What it is at most.</param>
    /// <exception cref="BundleRefusal">416.</exception>
    public static ByteRange? RangeOf(HttpRequest request, string? etag, long? length, long? most)
    {
        var headers = request.GetTypedHeaders();
        if (etag is null
            || headers.Range is not { Ranges.Count: 1 } range
            || !range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            || (request.Headers.IfRange.Count > 0 && !(headers.IfRange?.EntityTag is { } tag && Matches(tag, etag, strongly: true))))
        {
            return null;
        }

        return (range.Ranges.Single(), length) switch
        {
            ({ From: { } from }, { } all) when from >= all && all == most => throw NotSatisfiable(all),
            ({ From: null, To: 0 }, { } all) => throw NotSatisfiable(all == most ? all : null),
            ({ From: { } from, To: var to }, { } all) when from < all => to < all - 1 ? new ByteRange(from, to + 1) : new ByteRange(from, all) { ReachesEnd = true },
            ({ From: null, To: { } last }, { } all) => new ByteRange(Math.Max(all - last, 0), all) { ReachesEnd = true },

            // The end is not known: only what goes on to it can be served. What is certainly behind it is not looked for.
            ({ From: { } from, To: null }, _) when from >= most => throw NotSatisfiable(null),
            ({ From: > 0 and { } from, To: null }, _) => new ByteRange(from),
            _ => null,
        };
    }

    /// <summary>Whether the client takes a part only together with the length of the whole. Browsers, which the Fetch Metadata headers
    /// tell, read RFC 8673's form as a broken answer; curl and wget take it.</summary>
    public static bool NeedsLength(HttpRequest request) => request.Headers.ContainsKey("Sec-Fetch-Mode");

    public static BundleRefusal NotSatisfiable(long? length) => new(
        StatusCodes.Status416RangeNotSatisfiable,
        length is null ? "The range begins behind the archive's end." : $"The archive has {length} bytes; the range begins behind them.",
        Culprit.Client,
        Stage.Request)
    {
        ArchiveLength = length,
    };

    private static bool Matches(EntityTagHeaderValue tag, string? etag, bool strongly) =>
        tag.Equals(EntityTagHeaderValue.Any) || (etag is not null && tag.Compare(new EntityTagHeaderValue(etag), strongly));
}
