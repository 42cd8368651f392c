using System.ComponentModel.DataAnnotations;

namespace Gateway.Admission;

/// <summary>Limits for each client and for all clients together. Section <c>Bundle:Limits</c>.</summary>
internal sealed class LimitOptions
{
    /// <summary>The section's path.</summary>
    public const string Section = "Bundle:Limits";

    /// <summary>Maximum entries of one bundle; more return 413. Default 10,000, range 1–1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxEntries { get; set; } = 10_000;

    /// <summary>Maximum uncompressed bytes of one bundle; more return 413, or abort if nothing was checked first. Default 0: no limit.</summary>
    [Range(0, long.MaxValue)]
    public long MaxBytes { get; set; }

    /// <summary>Maximum concurrent bundles. Default 64, range 1–100,000.</summary>
    [Range(1, 100_000)]
    public int MaxActive { get; set; } = 64;

    /// <summary>Maximum bundles that wait for a permit; more return 503 with Retry-After. Default 128, range 0–100,000.</summary>
    [Range(0, 100_000)]
    public int MaxQueued { get; set; } = 128;

    /// <summary>
    /// Maximum concurrent bundles of one client; more return 429 with Retry-After. A client is the issuer and subject of its token, the
    /// owner of its API key, or else its address (for IPv6, its /64 network). Default 16, range 0–100,000; 0: no limit.
    /// </summary>
    [Range(0, 100_000)]
    public int MaxPerClient { get; set; } = 16;

    /// <summary>
    /// Maximum concurrent metadata requests of one client: HEAD, plans, links, and conditions that may end in 304; more return 429 with
    /// Retry-After. All clients together have <see cref="MaxActive"/> permits, and <see cref="MaxQueued"/> requests wait. Default 16, range
    /// 0–100,000; 0: no limit.
    /// </summary>
    [Range(0, 100_000)]
    public int MaxMetadataPerClient { get; set; } = 16;
}
