using System.Globalization;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.SubRequests;
using Microsoft.Net.Http.Headers;

namespace Gateway.Storage.Objects;

/// <summary>Validates responses of storage, and maps invalid ones to failures.</summary>
internal static class ResponseValidator
{
    /// <summary>Requires that the response is the whole object.</summary>
    public static ObjectHead RequireWhole(SubRequest attempt, TimeProvider time)
    {
        if (attempt.StatusCode != StatusCodes.Status200OK)
        {
            throw Refuse(attempt, time);
        }

        // An object that is stored encoded has a length and a version. One that is encoded in transit has different bytes each time.
        var head = ObjectHead.From(attempt.Headers);
        return head is { Encoding: null } or { Size: not null, ETag: not null } ? head : throw new StorageException(FailureReason.Encoded);
    }

    /// <summary>Reads the response to HEAD.</summary>
    /// <returns>Null if GET must decide: HEAD is rejected, or reports what cannot be true of an object.</returns>
    /// <exception cref="StorageException">Storage requires a wait, or redirects.</exception>
    public static ObjectHead? FromHead(SubRequest attempt, TimeProvider time)
    {
        if (attempt.StatusCode is >= 400 and not (StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable))
        {
            return null;
        }

        try
        {
            return RequireWhole(attempt, time) with { IsFromHead = true };
        }
        catch (StorageException e) when (e.Reason == FailureReason.Encoded || e.Reason == FailureReason.InvalidLength || e.Reason == FailureReason.InvalidResponse)
        {
            return null;
        }
    }

    /// <summary>RFC 9110, section 15.3.7: a part must begin where it was asked for, and be of exactly the version we know. It may be
    /// shorter: some storage sends at most so many bytes at a time.</summary>
    /// <returns>Where it ends (exclusive), if that is before the end of what was asked for; otherwise null.</returns>
    public static long? RequirePart(IHeaderDictionary headers, ObjectHead head, ByteRange wanted)
    {
        var end = wanted.End ?? head.Size;
        var part = ObjectHead.From(headers);
        if (head.ETag is not null && part.ETag is null)
        {
            throw new StorageException(FailureReason.VersionUnknown, "Storage sent a part without a strong ETag, so its version is not known.");
        }

        // A proxy that encodes parts would mix encoded bytes into the object.
        if (part.Encoding is not null && part.Encoding != head.Encoding)
        {
            throw new StorageException(FailureReason.Encoded, "Storage sent a part whose Content-Encoding differs from that of the object.");
        }

        // Its checksums may be those of the part, and its Content-Encoding may be missing (RFC 9110, section 15.3.7).
        (part with { Size = null, Checksums = null, Encoding = part.Encoding ?? head.Encoding }).RequirePlanned(head);
        if (!ContentRangeHeaderValue.TryParse(headers.ContentRange.ToString(), out var range)
            || !range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            || range.From != wanted.From
            || range.To is not { } last
            || last >= end
            || (range.Length ?? head.Size) != head.Size
            || (part.Size ?? last + 1 - wanted.From) != last + 1 - wanted.From)
        {
            throw new StorageException(FailureReason.WrongRange, $"The bytes {wanted.From}-{end - 1} were requested; storage sent others (RFC 9110, section 15.3.7).");
        }

        return last + 1 < end ? last + 1 : null;
    }

    /// <summary>Whether a status may be caused by the range and not by the object: some storage rejects ranges of objects that it sends
    /// whole.</summary>
    public static bool MayRefuseRange(int status) => status is StatusCodes.Status400BadRequest or StatusCodes.Status403Forbidden
        or StatusCodes.Status405MethodNotAllowed or StatusCodes.Status416RangeNotSatisfiable or StatusCodes.Status501NotImplemented;

    /// <summary>The failure that a status means.</summary>
    public static StorageException Refuse(SubRequest attempt, TimeProvider time) => attempt.StatusCode switch
    {
        StatusCodes.Status404NotFound or StatusCodes.Status410Gone => new(FailureReason.NotFound),
        StatusCodes.Status403Forbidden => new(FailureReason.Denied, "Storage returned 403: the object does not exist, or the gateway may not read it."),
        StatusCodes.Status412PreconditionFailed => new(FailureReason.ObjectChanged),
        StatusCodes.Status401Unauthorized or StatusCodes.Status407ProxyAuthenticationRequired => new(FailureReason.Denied),
        StatusCodes.Status203NonAuthoritative => new(FailureReason.UnexpectedStatus, "Storage returned 203: an intermediate proxy has changed the object (RFC 9110, section 15.3.4)."),
        StatusCodes.Status206PartialContent => new(FailureReason.UnexpectedStatus, "Storage returned 206 to a request for the whole object (RFC 9110, section 15.3.7)."),
        StatusCodes.Status304NotModified => new(FailureReason.UnexpectedStatus, "Storage returned 304 to a request without a condition (RFC 9110, section 15.4.5)."),
        >= 300 and < 400 and var status => new(FailureReason.Redirected, $"Storage returned {status}, a redirect, which is not followed.") { LogDetail = attempt.RedirectTarget },
        StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable => new(
            FailureReason.Throttled, $"Storage returned {attempt.StatusCode}.", RetryAfter(attempt.Headers, time)),
        StatusCodes.Status504GatewayTimeout => new(FailureReason.StorageTimeout),
        StatusCodes.Status408RequestTimeout or StatusCodes.Status500InternalServerError or StatusCodes.Status502BadGateway => new(
            FailureReason.StorageError, $"Storage returned {attempt.StatusCode}."),
        var status => new(FailureReason.UnexpectedStatus, $"Storage returned {status}."),
    };

    private static TimeSpan? RetryAfter(IHeaderDictionary headers, TimeProvider time)
    {
        var text = headers.RetryAfter.ToString();
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return TimeSpan.FromSeconds(seconds);
        }

        var now = time.GetUtcNow();
        return HeaderUtilities.TryParseDate(text, out var date) && date > now ? date - now : null;
    }
}
