using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Resuming;

/// <summary>
/// Which version of a bundle was sent with which <c>Last-Modified</c>. That is the time of the bundle's newest entry, so two versions can
/// have the same one, and a client that has only the date may hold bytes of either.
/// </summary>
/// <remarks>Bound: some 4 MiB; the least recently used go first. What is not remembered is no evidence: the client gets the whole archive.</remarks>
internal sealed class SentVersions : IDisposable
{
    private const long MaxBytes = 4 << 20;
    private const int BytesPerVersion = 600;
    private const string Several = "";

    private readonly MemoryCache _etags = new(new MemoryCacheOptions { SizeLimit = MaxBytes });
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
            if (_etags.Get<string>(key) is not { } known)
            {
                _etags.Set(key, etag, new MemoryCacheEntryOptions { Size = BytesPerVersion });
            }
            else if (known != etag && known != Several)
            {
                _etags.Set(key, Several, new MemoryCacheEntryOptions { Size = BytesPerVersion });
            }
        }
    }

    /// <summary>Whether this is the only version that was sent with this date, as far as this process knows.</summary>
    public bool IsOnlyVersion(string request, DateTimeOffset modified, string etag)
    {
        lock (_lock)
        {
            return _etags.Get<string>((request, modified.ToUnixTimeSeconds())) == etag;
        }
    }

    public void Dispose() => _etags.Dispose();
}
