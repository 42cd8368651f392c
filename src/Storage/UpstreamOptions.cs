using System.ComponentModel.DataAnnotations;

namespace Gateway.Storage;

/// <summary>Timeouts, retries and prefetching of objects in storage. Section <c>Bundle:Upstream</c>.</summary>
public sealed class UpstreamOptions
{
    /// <summary>
    /// Time until the response headers, for each attempt. Default 30 s, range 10 ms–1 h. Connecting may take at most half of it, and at most
    /// 15 s. After a timeout the request is sent once more on a new connection, if the old one may have been dead or if there is no other
    /// destination. Otherwise another destination is tried. The last timeout is 504. A cluster's
    /// <c>HttpRequest:ActivityTimeout</c> (YARP's own, default 100 s) applies first if it is shorter.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a body may stall while we wait for it before it is reopened where it stopped. Time in which the client
    /// keeps us waiting does not count. Default 30 s, range 10 ms–1 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Minimum bytes per second of a body, over each <see cref="StallTimeout"/> in which we wait for it. A slower body counts as
    /// stalled and is continued elsewhere; <see cref="Attempts"/> slow periods in a row end the bundle. Default 0 = off, range 0–1 GiB.
    /// </summary>
    [Range(0L, 1L << 30)]
    public long MinRate { get; set; }

    /// <summary>Attempts in a row without progress, for response headers and for the remainder of a body. Default 4, range 1–100.</summary>
    [Range(1, 100)]
    public int Attempts { get; set; } = 4;

    /// <summary>Objects opened ahead of the current one. Default 16, range 1–1,024.</summary>
    [Range(1, 1024)]
    public int Lookahead { get; set; } = 16;

    /// <summary>
    /// The same while objects are small, that is at most <see cref="LookaheadBytes"/> / <see cref="Lookahead"/>; also the number of concurrent HEAD
    /// requests. It hides storage's latency: 128 at 20 ms are 6,400 objects a second. Default 128, range 1–1,024; if less than
    /// <see cref="Lookahead"/>, that one applies.
    /// </summary>
    [Range(1, 1024)]
    public int LookaheadSmall { get; set; } = 128;

    /// <summary>
    /// Maximum distance in bytes between what is being sent and the furthest object that may be opened; what is read into memory ahead
    /// stays below it. Default 8 MiB, range 0–1 GiB.
    /// </summary>
    [Range(0L, 1L << 30)]
    public long LookaheadBytes { get; set; } = 8 << 20;

    /// <summary>
    /// The kernel's receive buffer of a connection to a bundle's storage, in bytes (Linux). This is the maximum cost of a stalled client
    /// while its connection to storage is kept. About half of it is TCP's window, which is transferred once per round trip: 256 KiB carry
    /// 100 MiB/s over 1.25 ms, and 6–13 MB/s over 20 ms. More distant storage gets more, up to
    /// <see cref="MaxWindowBytes"/>. The kernel caps it, without an error, at twice <c>net.core.rmem_max</c> (often 416 KiB); <c>ss -tm</c>
    /// shows the actual value as <c>rb</c>. Default 256 KiB, range 0–1 GiB; 0 leaves all connections to the kernel's tuning, which lets
    /// each grow up to the last number of <c>net.ipv4.tcp_rmem</c>.
    /// </summary>
    [Range(0, 1 << 30)]
    public int WindowBytes { get; set; } = 256 << 10;

    /// <summary>
    /// The same for distant storage: a connection gets 2 × 100 MiB/s × the round trip of its handshake, and at most this. 4 MiB carry
    /// 100 MiB/s over 20 ms, and 20 MiB/s over 100 ms. Where a connection needs more than the kernel grants (twice
    /// <c>net.core.rmem_max</c>), it keeps the kernel's own tuning: to bound it, raise <c>net.core.rmem_max</c> to half of this. Default
    /// 4 MiB, range 0–1 GiB; at most <see cref="WindowBytes"/> gives every connection <see cref="WindowBytes"/>.
    /// </summary>
    [Range(0, 1 << 30)]
    public int MaxWindowBytes { get; set; } = 4 << 20;

    /// <summary>
    /// How long a client may accept nothing before its bundle closes its connections to storage. When the client continues, each object is
    /// continued by a range request, if its strong ETag is still the same; an object without a strong ETag keeps its connection. Every
    /// release doubles the time for the remainder of the bundle. Default 5 s: longer than lost packets and short pauses take, and shorter
    /// than storage itself waits for a reader. Range 0–1 day; 0 keeps all connections.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan ReleaseAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Bytes of one part if a cluster's metadata <c>Bundle.ParallelRanges</c> (1–32, default 1) makes the gateway read large objects with
    /// several parallel requests. Each part in progress takes that much memory. Default 8 MiB, range 64 KiB–64 MiB.
    /// </summary>
    [Range(64 << 10, 64 << 20)]
    public int RangeBytes { get; set; } = 8 << 20;

    /// <summary>
    /// The largest ratio of decoded to stored bytes of an object, if a route's metadata contain <c>Bundle.Encoded: decode</c>. At least 1 MiB is
    /// always allowed. A larger object returns 413. Default 1,100, which gzip cannot exceed; range 1–100,000.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxExpansion { get; set; } = 1100;

    /// <summary>Objects of at most this size are read into memory ahead.</summary>
    public long SmallObject => LookaheadBytes / Lookahead;

    /// <summary>Concurrent requests for small objects, and concurrent HEAD requests.</summary>
    public int MaxAtOnce => Math.Max(Lookahead, LookaheadSmall);
}
