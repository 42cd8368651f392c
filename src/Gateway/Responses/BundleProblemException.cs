using System.Globalization;
using Gateway.Admission;
using Gateway.Failures;
using Gateway.Links;
using Gateway.Server;

namespace Gateway.Responses;

/// <summary>One invalid entry, as the response reports it.</summary>
/// <param name="Index">Its index in the request, from 0.</param>
/// <param name="Id">The id as parsed.</param>
/// <param name="Reason">What is wrong with it.</param>
internal sealed record EntryError(int Index, string Id, string Reason)
{
    // Enough to recognize it; the response does not repeat the full text.
    private const int MaxIdLength = 200;

    public string Id { get; } = Id.Length <= MaxIdLength ? Id : string.Concat(Id.AsSpan(0, MaxIdLength), "…");
}

/// <summary>A request that ends before the first byte of an archive, with a problem document (RFC 9457).</summary>
internal sealed class BundleProblemException(
    int statusCode, string title, FailureReason reason, IReadOnlyList<EntryError>? errors = null, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(title, inner)
{
    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(5);

    public int StatusCode { get; } = statusCode;

    public FailureReason Reason { get; } = reason;

    /// <summary>The length that a range must stay below (RFC 9110, section 15.5.17).</summary>
    public long? ArchiveLength { get; init; }

    /// <summary>The content codings that a request body may have (RFC 9110, section 12.5.3).</summary>
    public string? AcceptEncoding { get; init; }

    public IReadOnlyList<EntryError> Errors { get; } = errors ?? [];

    /// <summary>A reason with a specific text and status.</summary>
    public static BundleProblemException From(FailureReason reason, IReadOnlyList<EntryError>? errors = null) => new(reason.StatusCode, reason.Text, reason, errors);

    public static BundleProblemException BadRequest(string title, IReadOnlyList<EntryError>? errors = null) =>
        new(StatusCodes.Status400BadRequest, title, FailureReason.InvalidRequest, errors);

    public static BundleProblemException TooLarge(string title) =>
        new(StatusCodes.Status413PayloadTooLarge, title, FailureReason.InvalidRequest);

    /// <summary>No permit is available.</summary>
    /// <param name="statusCode">429 or 503.</param>
    /// <param name="kind">The kind of permit.</param>
    /// <param name="context">The client's request.</param>
    public static BundleProblemException NotAdmitted(int statusCode, AdmissionKind kind, HttpContext context)
    {
        var hint = KnownProxies.IsBehindUnknown(context) ? $" All clients of a proxy count as one until it is listed in the option {KnownProxies.Section}." : "";
        var (what, option) = kind == AdmissionKind.Bundle
            ? ("bundles", nameof(LimitOptions.MaxPerClient))
            : ("metadata requests", nameof(LimitOptions.MaxMetadataPerClient));
        return new(
            statusCode,
            statusCode == StatusCodes.Status429TooManyRequests
                ? $"This client has too many {what} running (option {LimitOptions.Section}:{option}).{hint} Try again later."
                : $"Too many {what} are running. Try again later.",
            FailureReason.LimitReached);
    }

    /// <summary>The response for a link that cannot be created or used.</summary>
    public static BundleProblemException Of(LinkException e) => e.Fault switch
    {
        LinkFault.Expired => new(StatusCodes.Status410Gone, "The link has expired.", FailureReason.InvalidRequest),
        LinkFault.TooLarge => TooLarge($"The manifest is too large for a link; at most {BundleLink.MaxManifestBytes} bytes before compression."),
        LinkFault.ShareIsFull => new(
            StatusCodes.Status429TooManyRequests, "This client has too many links (Bundle:Links:MaxBytesPerClient).", FailureReason.LimitReached, retryAfter: e.RetryAfter),
        LinkFault.NoRoom => new(
            StatusCodes.Status503ServiceUnavailable, "There is no space for more links (Bundle:Links:MaxBytes).", FailureReason.NoRoom, retryAfter: e.RetryAfter),
        LinkFault.Away => new(StatusCodes.Status503ServiceUnavailable, "The link store is unavailable.", FailureReason.Fault, inner: e),
        _ => new(StatusCodes.Status404NotFound, "The link does not exist.", FailureReason.InvalidRequest),
    };

    /// <summary>Sends it as a problem document.</summary>
    public Task WriteAsync(HttpContext context)
    {
        if (StatusCode is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            var seconds = Math.Ceiling((retryAfter ?? DefaultRetryAfter).TotalSeconds);
            context.Response.Headers.RetryAfter = seconds.ToString("0", CultureInfo.InvariantCulture);
        }

        if (ArchiveLength is { } length)
        {
            context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{length}");
        }

        if (AcceptEncoding is not null)
        {
            context.Response.Headers.AcceptEncoding = AcceptEncoding;
        }

        return Problem.WriteAsync(context, StatusCode, Message, Errors);
    }
}
