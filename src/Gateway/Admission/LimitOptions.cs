using System.ComponentModel.DataAnnotations;

namespace Gateway.Admission;

/// <summary>How many bundles run, and how large they are. Section <c>Bundle:Limits</c>.</summary>
internal sealed class LimitOptions
{
    /// <summary>The section's path.</summary>
    public const string Section = "Bundle:Limits";

    /// <summary>Entries of one bundle. More are a 413.</summary>
    [Range(1, 1_000_000)]
    public int MaxEntries { get; set; } = 10_000;

    /// <summary>Uncompressed bytes of one bundle. More are a 413, or cut the download where nothing is checked first. 0: no limit.</summary>
    [Range(0, long.MaxValue)]
    public long MaxBytes { get; set; }

    /// <summary>Bundles that run at the same time.</summary>
    [Range(1, 100_000)]
    public int MaxActive { get; set; } = 64;

    /// <summary>Bundles that wait for a permit. More get 503 with <c>Retry-After</c>.</summary>
    [Range(0, 100_000)]
    public int MaxQueued { get; set; } = 128;

    /// <summary>Bundles of one client at the same time. More get 429 with <c>Retry-After</c>. 0: no limit.</summary>
    /// <remarks>A client is the issuer and subject of its token, the owner of its API key, or else its address (for IPv6, its /64 network).</remarks>
    [Range(0, 100_000)]
    public int MaxPerClient { get; set; } = 16;

    /// <summary>
    /// Metadata requests of one client at the same time: HEAD, plans, links, and conditions that may end in 304. More get 429 with <c>Retry-After</c>. 0:
    /// no limit.
    /// </summary>
    /// <remarks>All clients together run as many as <see cref="MaxActive"/>, and <see cref="MaxQueued"/> wait.</remarks>
    [Range(0, 100_000)]
    public int MaxMetadataPerClient { get; set; } = 16;
}
