using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace Gateway.Bundles;

/// <summary>The head of a bundle, the same for GET, POST and HEAD.</summary>
internal static class BundleResponse
{
    public static void WriteHead(HttpResponse response, BundlePlan plan, MissingPolicy missing)
    {
        var headers = response.Headers;
        response.StatusCode = StatusCodes.Status200OK;
        headers.ContentType = FormatNames.MediaType(plan.Recipe.Format);
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName($"{plan.FileName}.{FormatNames.Of(plan.Recipe.Format)}");
        headers.ContentDisposition = disposition.ToString();
        headers.CacheControl = "private, no-transform";
        headers["X-Accel-Buffering"] = "no";
        headers.AcceptRanges = "none";
        headers["Bundle-Entries"] = Number(plan.Entries.Count);
        if (missing != MissingPolicy.Abort)
        {
            headers["Bundle-Skipped"] = Number(plan.Skipped);
        }

        if (plan.Size is { } size)
        {
            headers["Bundle-Size"] = Number(size);
        }

        if (plan.ETag is { } etag)
        {
            headers.ETag = etag;
        }

        if (plan.Modified is { } modified)
        {
            headers.LastModified = HeaderUtilities.FormatDate(modified);
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
