using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Bundles;

/// <summary>
/// The lengths of archives that were sent whole, by ETag: an ETag names every byte, so a length once seen stays right. Bounded to
/// the latest; what was forgotten is only unknown again.
/// </summary>
internal sealed class ArchiveLengths : IDisposable
{
    private const int Most = 10_000;

    private readonly MemoryCache _lengths = new(new MemoryCacheOptions { SizeLimit = Most });

    public long? Find(string? etag) => etag is not null && _lengths.TryGetValue(etag, out long length) ? length : null;

    public void Remember(string? etag, long length)
    {
        if (etag is not null)
        {
            _lengths.Set(etag, length, new MemoryCacheEntryOptions { Size = 1 });
        }
    }

    public void Dispose() => _lengths.Dispose();
}
