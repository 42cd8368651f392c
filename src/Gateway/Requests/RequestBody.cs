using System.Buffers;
using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Gateway.Requests;

/// <summary>The body of a POST: which ones are accepted, and how much of one is read.</summary>
internal static class RequestBody
{
    private const int ReadLength = 16 * 1024;
    private const string Form = "application/x-www-form-urlencoded";
    private static readonly string[] Charsets = ["utf-8", "utf8", "us-ascii"];

    /// <summary>Looks at the headers.</summary>
    /// <returns>Whether the body is JSON; otherwise it is a form.</returns>
    /// <exception cref="BundleProblemException">415.</exception>
    public static bool RequireJsonOrForm(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !(request.HasJsonContentType() || type.MediaType.Equals(Form, StringComparison.OrdinalIgnoreCase)))
        {
            throw Unsupported($"Send a JSON manifest with Content-Type: application/json, or a form with Content-Type: {Form}.");
        }

        if (type.Charset is { Length: > 0 } && !Charsets.Contains(HeaderUtilities.RemoveQuotes(type.Charset).ToString(), StringComparer.OrdinalIgnoreCase))
        {
            throw Unsupported("The body must be UTF-8. Its Content-Type names another charset.");
        }

        return request.HasJsonContentType();
    }

    /// <summary>Reads the body, and decodes it if it is compressed.</summary>
    /// <param name="context">The client's request.</param>
    /// <param name="arrived">Is called with the number of bytes of each read, decoded; what it throws ends the reading.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="BundleProblemException">400, 413, 415.</exception>
    public static async Task<ArraySegment<byte>> ReadAsync(HttpContext context, Action<int> arrived, CancellationToken cancellationToken)
    {
        var request = context.Request;
        var coding = request.Headers.ContentEncoding.ToString();
        if (request.ContentLength > BundleFields.MaxBodyBytes)
        {
            throw TooLarge();
        }

        // The server's own limit is for proxied bodies. What is compressed is bounded by it too: a body may decode to nothing.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = coding.Length == 0 ? null : BundleFields.MaxBodyBytes;
        }

        var body = new ArrayBufferWriter<byte>(ReadLength);
        await using var decoded = Decode(request.Body, coding);
        try
        {
            while (await decoded.ReadAsync(body.GetMemory(ReadLength), cancellationToken) is > 0 and var count)
            {
                arrived(count);
                body.Advance(count);
                if (body.WrittenCount > BundleFields.MaxBodyBytes)
                {
                    throw TooLarge();
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException || (e is InvalidOperationException && !ReferenceEquals(decoded, request.Body)))
        {
            throw BundleProblemException.BadRequest("The body cannot be decoded as its Content-Encoding says.");
        }

        return MemoryMarshal.TryGetArray(body.WrittenMemory, out var read) ? read : throw new UnreachableException();
    }

    private static Stream Decode(Stream body, string coding) => coding.ToLowerInvariant() switch
    {
        "" or "identity" => body,
        "gzip" or "x-gzip" => new GZipStream(body, CompressionMode.Decompress, leaveOpen: true),
        "br" => new BrotliStream(body, CompressionMode.Decompress, leaveOpen: true),
        _ => throw new BundleProblemException(
            StatusCodes.Status415UnsupportedMediaType, "The body may be compressed only with gzip or br.", FailureReason.InvalidRequest)
        { AcceptEncoding = "gzip, br" },
    };

    private static BundleProblemException TooLarge() => BundleProblemException.TooLarge($"The body has more than {BundleFields.MaxBodyBytes} bytes.");

    private static BundleProblemException Unsupported(string title) => new(StatusCodes.Status415UnsupportedMediaType, title, FailureReason.InvalidRequest);
}
