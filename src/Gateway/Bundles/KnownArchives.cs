using Gateway.Archiving.Layout;
using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Bundles;

/// <summary>What was learned of archives while they were made, by ETag. An ETag names every byte, so what was once seen stays right;
/// what was forgotten only makes a resume slower.</summary>
/// <remarks>Bound: some 16 MiB for all, the least recently used go first.</remarks>
internal sealed class KnownArchives : IDisposable
{
    private const long MaxBytes = 16 << 20;

    // A checkpoint every 4 MiB, and what an entry of the cache costs.
    private const int BytesPerCheckpoint = 24;
    private const long PlainPerCheckpoint = 4 << 20;
    private const int BytesPerArchive = 500;

    private readonly MemoryCache _archives = new(new MemoryCacheOptions { SizeLimit = MaxBytes });

    /// <summary>What is known of a plan's archive; without an ETag it is known to nobody else.</summary>
    public KnownArchive For(BundlePlan plan)
    {
        if (plan.ETag is not { } etag)
        {
            return new KnownArchive();
        }

        return _archives.GetOrCreate(etag, entry =>
        {
            entry.Size = BytesPerArchive + ((plan.Layout?.PlainLength ?? 0) / PlainPerCheckpoint * BytesPerCheckpoint);
            return new KnownArchive();
        })!;
    }

    public void Dispose() => _archives.Dispose();
}

/// <summary>What is known of one archive. Any number of requests may make it at the same time.</summary>
internal sealed class KnownArchive
{
    private readonly Lock _lock = new();
    private long? _length;

    /// <summary>From where it can be continued.</summary>
    public ArchiveTrail Trail { get; } = new();

    /// <summary>Its length, once it was made whole.</summary>
    public long? Length
    {
        get
        {
            lock (_lock)
            {
                return _length;
            }
        }

        set
        {
            lock (_lock)
            {
                _length = value;
            }
        }
    }
}
