using System.ComponentModel.DataAnnotations;

namespace Gateway.Admission;

/// <summary>How much one client, and all together, may ask for. Section <c>Bundle:Limits</c>.</summary>
internal sealed class LimitOptions
{
    /// <summary>The section's path.</summary>
    public const string Section = "Bundle:Limits";

    /// <summary>Entries of one bundle; more are answered with 413. Default 10,000, range 1–1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxEntries { get; set; } = 10_000;

    /// <summary>Plain bytes of one bundle; more are answered with 413, or cut off where nothing was checked first. Default 0: no limit.</summary>
    [Range(0, long.MaxValue)]
    public long MaxBytes { get; set; }

    /// <summary>Bundles at a time. Default 64, range 1–100,000.</summary>
    [Range(1, 100_000)]
    public int MaxActive { get; set; } = 64;

    /// <summary>Bundles that wait for a turn; more are answered with 503 and Retry-After. Default 128, range 0–100,000.</summary>
    [Range(0, 100_000)]
    public int MaxQueued { get; set; } = 128;

    /// <summary>
    /// Bundles at a time of one client; more are answered with 429 and Retry-After. A client is the issuer and subject of its token, the
    /// owner of its API key, or else its address (of IPv6, its /64 network). Default 16, range 0–100,000; 0: no limit.
    /// </summary>
    [Range(0, 100_000)]
    public int MaxPerClient { get; set; } = 16;

    /// <summary>
    /// Metadata requests of one client at a time: HEAD, plans, links, and conditions that may end in 304; more are answered with 429 and
    /// Retry-After. All clients together have as many as <see cref="MaxActive"/>, and <see cref="MaxQueued"/> wait. Default 16, range
    /// 0–100,000; 0: no limit.
    /// </summary>
    [Range(0, 100_000)]
    public int MaxMetadataPerClient { get; set; } = 16;
}
