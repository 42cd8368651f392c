using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Gateway.Storage.Http;
using Gateway.Storage.Listings;
using Microsoft.Extensions.Primitives;

namespace Gateway.Storage.Stores.Folder;

/// <summary>
/// Responds to requests for <c>file:</c> addresses like a static web server (RFC 9110): GET and HEAD, single ranges,
/// strong ETags, conditions. Anything but a regular file inside the folder is 404.
/// </summary>
internal sealed class FolderHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>The destination's address; a request without it probes the folder itself.</summary>
    public static readonly HttpRequestOptionsKey<string> Root = new("Gateway.FolderRoot");

    private static readonly SearchValues<char> Separators = SearchValues.Create("/\\\0");

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.RequestUri is { IsFile: true } address
            ? Task.FromResult(Answer(request, address))
            : base.SendAsync(request, cancellationToken);

    private static HttpResponseMessage Answer(HttpRequestMessage request, Uri address)
    {
        if (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head)
        {
            var refusal = Empty(request, HttpStatusCode.MethodNotAllowed);
            refusal.Content.Headers.Allow.Add("GET");
            refusal.Content.Headers.Allow.Add("HEAD");
            return refusal;
        }

        if (!request.Options.TryGetValue(Root, out var prefix))
        {
            return Empty(request, Directory.Exists(address.LocalPath) ? HttpStatusCode.OK : HttpStatusCode.NotFound);
        }

        if (request.Options.TryGetValue(ListingExchange.Key, out var listing))
        {
            return List(request, prefix, address, listing);
        }

        if (GetKey(prefix, address) is not { } key || FolderFile.TryOpen(new Uri(prefix).LocalPath, key) is not { } file)
        {
            return Empty(request, HttpStatusCode.NotFound);
        }

        var response = Describe(request, file);
        if (request.Method == HttpMethod.Head || response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
        {
            file.Dispose();
        }

        return response;
    }

    /// <summary>
    /// The segments of a key as routing saw them, or null if a file system would read others: it merges slashes and resolves
    /// dots, so a key could bypass the policy of a more specific route. Uri does both too, so its original string is used.
    /// </summary>
    private static string[]? GetKey(string prefix, Uri address)
    {
        var text = address.OriginalString;
        if (!text.StartsWith(prefix, StringComparison.Ordinal) || !prefix.EndsWith('/'))
        {
            return null;
        }

        text = text[prefix.Length..];
        var end = text.IndexOfAny(['?', '#']);
        string[] segments = [.. (end < 0 ? text : text[..end]).Split('/').Select(Uri.UnescapeDataString)];
        return segments.Any(segment => segment is "" or "." or ".." || segment.AsSpan().ContainsAny(Separators)) ? null : segments;
    }

    private static HttpResponseMessage List(HttpRequestMessage request, string prefix, Uri address, ListingExchange listing)
    {
        // The path of a folder ends in a slash; the folder itself has no key.
        var folder = address.OriginalString.Split('?', 2)[0].TrimEnd('/');
        var segments = folder.Length < prefix.Length ? [] : GetKey(prefix, new Uri(folder));
        listing.Page = segments is null ? null : FolderListing.Read(new Uri(prefix).LocalPath, segments, listing.Request);
        return Empty(request, listing.Page is null ? HttpStatusCode.NotFound : HttpStatusCode.OK);
    }

    private static HttpResponseMessage Describe(HttpRequestMessage request, FolderFile file)
    {
        var version = new SelectedVersion(file.ETag.ToString(), file.Modified, () => DateEvidence.EqualOrLater);
        var conditions = Preconditions.Evaluate(
            request.Method.Method, name => request.Headers.NonValidated.TryGetValues(name, out var values) ? new StringValues([.. values]) : default, version);
        if (conditions is PreconditionResult.NotModified or PreconditionResult.Failed)
        {
            var bare = Empty(request, conditions == PreconditionResult.Failed ? HttpStatusCode.PreconditionFailed : HttpStatusCode.NotModified);
            AddValidators(bare, file);
            return bare;
        }

        var (from, length) = (0L, file.Length);
        var status = HttpStatusCode.OK;
        ContentRangeHeaderValue? contentRange = null;
        if (conditions == PreconditionResult.Proceed && request.Method == HttpMethod.Get && request.Headers.Range is { Unit: "bytes", Ranges: { Count: 1 } ranges })
        {
            var range = ranges.First();
            var first = range.From ?? Math.Max(0, file.Length - range.To!.Value);
            var last = range.From is null ? file.Length - 1 : Math.Min(range.To ?? long.MaxValue, file.Length - 1);
            if (first > last)
            {
                var refusal = Empty(request, HttpStatusCode.RequestedRangeNotSatisfiable);
                refusal.Content.Headers.ContentRange = new(file.Length);
                return refusal;
            }

            (from, length, status) = (first, last - first + 1, HttpStatusCode.PartialContent);
            contentRange = new ContentRangeHeaderValue(first, last, file.Length);
        }

        HttpContent content = request.Method == HttpMethod.Head ? new ByteArrayContent([]) : new StreamContent(file.Read(from, length));
        content.Headers.ContentLength = length;
        content.Headers.ContentRange = contentRange;
        content.Headers.ContentType = new("application/octet-stream");
        var response = new HttpResponseMessage(status) { RequestMessage = request, Content = content };
        AddValidators(response, file);
        response.Headers.AcceptRanges.Add("bytes");
        return response;
    }

    private static void AddValidators(HttpResponseMessage response, FolderFile file)
    {
        response.Headers.ETag = file.ETag;
        response.Content.Headers.LastModified = file.Modified;
    }

    private static HttpResponseMessage Empty(HttpRequestMessage request, HttpStatusCode status) =>
        new(status) { RequestMessage = request, Content = new ByteArrayContent([]) };
}
