namespace Gateway.Storage.Stores;

/// <summary>
/// Replaces <c>If-Range</c> of a request by <c>If-Match</c>: some stores ignore the former and send a part of the new version, and all of them
/// respect the latter. Where that would mean something else, the whole object is requested, because a server may ignore a range (RFC 9110, section 14.2).
/// </summary>
internal sealed class RangeCondition
{
    private const string IfRange = "If-Range", IfMatch = "If-Match", IfUnmodifiedSince = "If-Unmodified-Since", Range = "Range";

    private readonly HttpRequestMessage _request;
    private readonly string? _condition;
    private readonly string? _range;

    private RangeCondition(HttpRequestMessage request) => (_request, _condition, _range) = (request, Find(request, IfRange), Find(request, Range));

    /// <summary>Whether 412 means that the version has changed, and that the whole new one must be requested (RFC 9110, section 13.1.5).</summary>
    public bool IsMatch { get; private set; }

    /// <summary>Takes the condition of a request.</summary>
    public static RangeCondition Take(HttpRequestMessage request)
    {
        var taken = new RangeCondition(request);
        if (taken._condition is null)
        {
            return taken;
        }

        // A date, a weak validator or one that cannot be read does not identify a version. Other conditions come first (RFC 9110, section 13.2.2).
        var etag = request.Headers.IfRange?.EntityTag;
        request.Headers.Remove(IfRange);
        if (taken._range is not null && etag is { IsWeak: false } && Find(request, IfMatch) is null && Find(request, IfUnmodifiedSince) is null)
        {
            request.Headers.IfMatch.Add(etag);
            taken.IsMatch = true;
        }
        else
        {
            request.Headers.Remove(Range);
        }

        return taken;
    }

    /// <summary>Requests the whole object in its present version.</summary>
    public void RequestWhole()
    {
        _request.Headers.Remove(Range);
        _request.Headers.Remove(IfMatch);
        IsMatch = false;
    }

    /// <summary>Restores the headers: the message may be sent again.</summary>
    public void Restore()
    {
        if (_condition is null)
        {
            return;
        }

        if (IsMatch)
        {
            _request.Headers.Remove(IfMatch);
        }

        _request.Headers.Remove(Range);
        _request.Headers.TryAddWithoutValidation(IfRange, _condition);
        if (_range is not null)
        {
            _request.Headers.TryAddWithoutValidation(Range, _range);
        }
    }

    private static string? Find(HttpRequestMessage request, string name) => request.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
