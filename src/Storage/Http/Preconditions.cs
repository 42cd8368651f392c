using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gateway.Storage.Http;

/// <summary>What the conditions of a request allow (RFC 9110, section 13.2.2).</summary>
public enum PreconditionResult
{
    /// <summary>The whole representation, or the requested range.</summary>
    Proceed,

    /// <summary>Only the whole representation: the client may hold bytes of another version.</summary>
    ProceedWithoutRange,

    /// <summary>304: the client has this version.</summary>
    NotModified,

    /// <summary>412: the client wants another version.</summary>
    Failed,
}

/// <summary>What a date proves about a version.</summary>
public enum DateEvidence
{
    /// <summary>Nothing: other versions may have the same date.</summary>
    None,

    /// <summary>An equal date identifies this version. It is unknown which version any other date identifies.</summary>
    Equal,

    /// <summary>
    /// It is the modification time of the one object that is sent: the object has not changed since an equal or later date, to the second. That is
    /// enough for 304, but not for a range, because the object may have changed twice in that second (section 8.8.2.2).
    /// </summary>
    EqualOrLater,
}

/// <summary>The version that a response would send.</summary>
/// <param name="ETag">A strong validator with its quotes, or null.</param>
/// <param name="Modified">The time in <c>Last-Modified</c>, or null.</param>
/// <param name="Evidence">What an equal <c>Last-Modified</c> proves. Called only if the client has nothing but a date.</param>
public readonly record struct SelectedVersion(string? ETag, DateTimeOffset? Modified, Func<DateEvidence> Evidence);

/// <summary>
/// Evaluates the conditions of a request (RFC 9110, section 13). A range is served only if nothing in the request indicates that the client
/// has another version: a file joined from two versions can have the right length and look complete.
/// </summary>
public static class Preconditions
{
    /// <summary>Evaluates all conditions, in the order of section 13.2.2.</summary>
    /// <param name="method">The method of the request.</param>
    /// <param name="headers">Returns the values of a request header; empty if it is missing.</param>
    /// <param name="version">The version that would be sent.</param>
    public static PreconditionResult Evaluate(string method, Func<string, StringValues> headers, SelectedVersion version)
    {
        var isSafe = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        var hasRange = HttpMethods.IsGet(method) && headers(HeaderNames.Range).Count > 0;
        var modified = Seconds(version.Modified);
        var (isNamed, isDoubtful) = (false, false);
        if (headers(HeaderNames.IfMatch) is { Count: > 0 } wanted)
        {
            if (!MatchesAny(wanted, version.ETag, strongly: true, out isNamed))
            {
                return PreconditionResult.Failed;
            }
        }
        else if (headers(HeaderNames.IfUnmodifiedSince) is { Count: > 0 } since)
        {
            if (DateFrom(since) is not { } date || modified is null)
            {
                // An invalid date is neither a condition nor evidence.
                isDoubtful = true;
            }
            else if (hasRange ? date != modified : date < modified)
            {
                return PreconditionResult.Failed;
            }
            else
            {
                isDoubtful = hasRange && version.Evidence() != DateEvidence.Equal;
            }
        }

        if (headers(HeaderNames.IfNoneMatch) is { Count: > 0 } known)
        {
            if (MatchesAny(known, version.ETag, strongly: false, out _))
            {
                return isSafe ? PreconditionResult.NotModified : PreconditionResult.Failed;
            }

            isDoubtful = true;
        }
        else if (isSafe && headers(HeaderNames.IfModifiedSince) is { Count: > 0 } since)
        {
            if (DateFrom(since) is { } date && modified <= date && version.Evidence() is var evidence
                && (evidence == DateEvidence.EqualOrLater || (evidence == DateEvidence.Equal && date == modified)))
            {
                return PreconditionResult.NotModified;
            }

            isDoubtful = true;
        }

        if (hasRange && headers(HeaderNames.IfRange) is { Count: > 0 } ifRange)
        {
            // A date is a weak validator here, and a client that has it was also sent a strong one.
            isNamed = ifRange.Count == 1 && RangeConditionHeaderValue.TryParse(TrimSpaces(ifRange[0] ?? ""), out var condition)
                && condition.EntityTag is { } tag && Matches(tag, version.ETag, strongly: true);
            isDoubtful = !isNamed;
        }

        return isDoubtful && !isNamed ? PreconditionResult.ProceedWithoutRange : PreconditionResult.Proceed;
    }

    /// <param name="values">The header.</param>
    /// <param name="etag">The version; null when it has no strong validator.</param>
    /// <param name="strongly">Strong comparison (section 8.8.3.2).</param>
    /// <param name="byName">Whether a tag must match; the asterisk is not enough.</param>
    private static bool MatchesAny(StringValues values, string? etag, bool strongly, out bool byName)
    {
        // An invalid tag matches nothing.
        byName = false;
        if (!EntityTagHeaderValue.TryParseList([.. values.Select(value => TrimSpaces(value ?? ""))], out var tags))
        {
            return false;
        }

        byName = tags.Any(tag => !tag.Equals(EntityTagHeaderValue.Any) && Matches(tag, etag, strongly));
        return byName || tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any));
    }

    /// <summary>Over HTTP/2 the server keeps trailing spaces, and .NET's parser throws if one follows <c>W/</c>.</summary>
    private static string TrimSpaces(string value) => value.TrimEnd(' ', '\t');

    private static bool Matches(EntityTagHeaderValue tag, string? etag, bool strongly) => etag is not null && tag.Compare(new EntityTagHeaderValue(etag), strongly);

    private static DateTimeOffset? DateFrom(StringValues values) => values.Count == 1 && HeaderUtilities.TryParseDate(values[0], out var date) ? date : null;

    /// <summary>Truncates to the precision of a header.</summary>
    private static DateTimeOffset? Seconds(DateTimeOffset? time) => time is { } exact ? DateTimeOffset.FromUnixTimeSeconds(exact.ToUnixTimeSeconds()) : null;
}
