using Gateway.Storage.Failures;
using Gateway.Storage.Http;

namespace Gateway.Responses;

/// <summary>The bytes of an archive that a request selects (RFC 9110, section 14; RFC 8673).</summary>
internal static class RequestedRange
{
    /// <summary>Whether a request asks for a range. Only GET can (RFC 9110, section 14.2).</summary>
    public static bool IsPresent(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Headers.Range.Count > 0;

    /// <summary>The range to send; null for the whole archive, which is also the response to a range that cannot be served.</summary>
    /// <param name="request">A GET whose conditions permit a range.</param>
    /// <param name="etag">The archive's validator; without one there are no ranges.</param>
    /// <param name="length">The archive's length, if it is known. If it is less than <paramref name="most"/>, it was remembered from an earlier
    /// run: the end of a range may be taken from it, because it is verified while the range is generated, but the client must not be informed
    /// that it has everything.</param>
    /// <param name="most">The maximum length.</param>
    /// <exception cref="BundleProblemException">416.</exception>
    public static ByteRange? From(HttpRequest request, string? etag, long? length, long? most)
    {
        if (etag is null
            || request.GetTypedHeaders().Range is not { Ranges.Count: 1 } range
            || !range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return (range.Ranges.Single(), length) switch
        {
            ({ From: { } from }, { } all) when from >= all && all == most => throw NotSatisfiable(all),
            ({ From: null, To: 0 }, { } all) => throw NotSatisfiable(all == most ? all : null),
            ({ From: { } from, To: var to }, { } all) when from < all => to < all - 1 ? new ByteRange(from, to + 1) : new ByteRange(from, all) { ReachesEnd = true },
            ({ From: null, To: { } last }, { } all) => new ByteRange(Math.Max(all - last, 0), all) { ReachesEnd = true },

            // The end is not known: only an open-ended range can be served. A range that certainly starts past the end is not generated.
            ({ From: { } from, To: null }, _) when from >= most => throw NotSatisfiable(null),
            ({ From: > 0 and { } from, To: null }, _) => new ByteRange(from),
            _ => null,
        };
    }

    /// <summary>Whether the client accepts a part only together with the total length. Browsers, which send Fetch Metadata headers, treat
    /// the form of RFC 8673 as a broken response; curl and wget accept it.</summary>
    public static bool NeedsLength(HttpRequest request) => request.Headers.ContainsKey("Sec-Fetch-Mode");

    /// <param name="length">The archive's length, if it is known.</param>
    public static BundleProblemException NotSatisfiable(long? length) => new(
        StatusCodes.Status416RangeNotSatisfiable,
        length is null ? "The range begins past the end of the archive." : $"The archive has {length} bytes; the range begins past its end.",
        FailureReason.InvalidRequest)
    {
        ArchiveLength = length,
    };
}
