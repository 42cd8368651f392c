using System.Globalization;
using Gateway.Storage.Failures;
using Gateway.Storage.Paths;

namespace Gateway.Responses;

/// <summary>One invalid entry, as the response reports it.</summary>
/// <param name="Index">Its index in the request, from 0.</param>
/// <param name="Id">The id as parsed.</param>
/// <param name="Reason">What is wrong with it.</param>
internal sealed record EntryError(int Index, string Id, string Reason)
{
    // Enough to recognize it; the response does not repeat the full text.
    private const int MaxIdLength = 200;

    public string Id { get; } = HiddenCharacters.Truncate(Id, MaxIdLength);
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

    /// <summary>Storage failed before anything was sent. The first failure decides the status.</summary>
    public static BundleProblemException FromStorage(params (EntryError Error, StorageException Failure)[] failures)
    {
        var first = failures[0].Failure;
        return new BundleProblemException(
            first.Reason.StatusCode,
            first.Reason.StatusCode >= StatusCodes.Status500InternalServerError ? "Storage failed." : "Some entries cannot be bundled.",
            first.Reason,
            [.. failures.Select(failure => failure.Error)],
            first.RetryAfter,
            first);
    }

    /// <summary>Sends it as a document.</summary>
    public Task WriteAsync(HttpContext context)
    {
        // What an operator has ended must not start again by itself.
        if ((StatusCode is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable) && Reason != FailureReason.EndedByOperator)
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
