namespace Gateway.Resuming;

/// <summary>
/// Which version of a bundle was sent with which <c>Last-Modified</c>. That is the time of the bundle's newest entry, so two versions can
/// have the same one, and a client that has only the date may hold bytes of either.
/// </summary>
/// <remarks>
/// At most 10,000 dates, some 3 MiB. None is ever forgotten, because a forgotten version could be mistaken for one that was never sent.
/// When the limit is reached, a new date is not evidence.
/// </remarks>
internal sealed class SentVersions
{
    private const int MaxDates = 10_000;
    private const string Several = "";

    private readonly Dictionary<(string Request, long Modified), string> _etags = [];
    private readonly Lock _lock = new();

    /// <summary>Records that a version is sent.</summary>
    /// <param name="request">Identifies the request, regardless of its version.</param>
    /// <param name="modified">Its <c>Last-Modified</c>.</param>
    /// <param name="etag">Identifies the version.</param>
    public void Add(string request, DateTimeOffset modified, string etag)
    {
        var key = (request, modified.ToUnixTimeSeconds());
        lock (_lock)
        {
            if (_etags.TryGetValue(key, out var known))
            {
                _etags[key] = known == etag ? etag : Several;
            }
            else if (_etags.Count < MaxDates)
            {
                _etags.Add(key, etag);
            }
        }
    }

    /// <summary>Whether this is the only version that this process has sent with this date.</summary>
    public bool IsOnlyVersion(string request, DateTimeOffset modified, string etag)
    {
        lock (_lock)
        {
            return _etags.TryGetValue((request, modified.ToUnixTimeSeconds()), out var known) && known == etag;
        }
    }
}
