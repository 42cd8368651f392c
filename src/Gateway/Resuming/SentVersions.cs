namespace Gateway.Resuming;

/// <summary>
/// Which version of a bundle was sent with which <c>Last-Modified</c>. That is the time of the bundle's newest entry, so two versions can
/// have the same one, and a client that has only the date may hold bytes of either.
/// </summary>
/// <remarks>
/// Bound: 10,000 dates, some 3 MiB. None is ever forgotten, because a version that was forgotten could be taken for one that was never sent;
/// when there is no room, a new date is no evidence.
/// </remarks>
internal sealed class SentVersions
{
    private const int MaxDates = 10_000;
    private const string Several = "";

    private readonly Dictionary<(string Request, long Modified), string> _etags = [];
    private readonly Lock _lock = new();

    /// <summary>Remembers that a version is sent.</summary>
    /// <param name="request">Names what was asked for, whatever its version.</param>
    /// <param name="modified">Its <c>Last-Modified</c>.</param>
    /// <param name="etag">Names the version.</param>
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
