using System.Globalization;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Streaming;
using Microsoft.Net.Http.Headers;

namespace Gateway.Bundles;

/// <summary>The response headers of a bundle, the same for GET, POST and HEAD.</summary>
internal static class BundleResponse
{
    // RFC 8673, section 3: "very large value" for a range that ends where the archive ends.
    private const long VeryLarge = (1L << 53) - 1;

    /// <summary>Sets them.</summary>
    /// <param name="response">Not started.</param>
    /// <param name="plan">What is sent.</param>
    /// <param name="selection">Which bytes of it are sent.</param>
    /// <param name="sha256">The archive's hash, where it is known.</param>
    public static void WriteHeaders(HttpResponse response, BundlePlan plan, ByteSelection selection, byte[]? sha256)
    {
        var headers = response.Headers;
        response.StatusCode = selection.Range is null ? StatusCodes.Status200OK : StatusCodes.Status206PartialContent;
        headers.ContentLength = selection.Count;
        if (selection.Range is { } part)
        {
            headers.ContentRange = string.Create(
                CultureInfo.InvariantCulture,
                $"bytes {part.From}-{(part.End - 1) ?? VeryLarge}/{(part.End is null ? null : selection.Length)?.ToString(CultureInfo.InvariantCulture) ?? "*"}");
        }

        WriteValidator(response, plan);
        headers.ContentType = FormatNames.GetMediaType(plan.Recipe.Format);
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName($"{plan.Request.FileName}.{FormatNames.GetName(plan.Recipe.Format)}");
        headers.ContentDisposition = disposition.ToString();
        headers["X-Accel-Buffering"] = "no";
        headers.AcceptRanges = plan.ETag is null ? "none" : "bytes";
        headers["Bundle-Entries"] = Number(plan.Entries.Count);
        if (plan.Request.Missing != MissingPolicy.Abort)
        {
            headers["Bundle-Skipped"] = Number(plan.Skipped);
        }

        if (plan.Size is { } size)
        {
            headers["Bundle-Size"] = Number(size);
        }

        if (sha256 is not null)
        {
            headers[ReprDigest.Header] = ReprDigest.Format(sha256);
        }
    }

    /// <summary>The client has this version of the archive already.</summary>
    public static void WriteNotModified(HttpResponse response, BundlePlan plan)
    {
        response.StatusCode = StatusCodes.Status304NotModified;
        WriteValidator(response, plan);
    }

    /// <summary>The headers of the plan as a document. Its validator is weak: the archive's length may be learned later.</summary>
    public static void WritePlanHeaders(HttpResponse response, BundlePlan plan)
    {
        WriteValidator(response, plan, isWeak: true);
        response.Headers.CacheControl = "private, no-cache";
    }

    private static void WriteValidator(HttpResponse response, BundlePlan plan, bool isWeak = false)
    {
        var headers = response.Headers;
        headers.CacheControl = "private, no-transform";
        if (plan.ETag is { } etag)
        {
            headers.ETag = isWeak ? $"W/{etag}" : etag;
        }

        if (plan.Modified is { } modified)
        {
            headers.LastModified = HeaderUtilities.FormatDate(modified);
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
