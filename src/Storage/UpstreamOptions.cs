using System.ComponentModel.DataAnnotations;

namespace Gateway.Storage;

/// <summary>How objects are read from storage. Section <c>Bundle:Upstream</c>.</summary>
public sealed class UpstreamOptions
{
    /// <summary>Time until the response headers of each attempt. Connecting may take half of it, at most 15 s.</summary>
    /// <remarks>
    /// After a timeout the request is sent once more on a new connection, if the old one may have been dead or if there is no other destination.
    /// Otherwise another destination is tried. The last timeout is a 504. A cluster's <c>HttpRequest:ActivityTimeout</c> (YARP's own, by default 100 s)
    /// applies too if it is shorter.
    /// </remarks>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a body may stall while the gateway waits for it. Then the object is reopened where it stopped. Time in which the gateway waits for the
    /// client does not count.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Bytes per second that a body must bring over each <see cref="StallTimeout"/> in which the gateway waits for it. A slower body is continued
    /// elsewhere. 0: off.
    /// </summary>
    /// <remarks><see cref="Attempts"/> slow periods in a row end the bundle.</remarks>
    [Range(0L, 1L << 30)]
    public long MinRate { get; set; }

    /// <summary>Attempts in a row without progress, for response headers and for the rest of a body.</summary>
    [Range(1, 100)]
    public int Attempts { get; set; } = 4;

    /// <summary>Objects that are opened ahead of the one that is being sent.</summary>
    [Range(1, 1024)]
    public int Lookahead { get; set; } = 16;

    /// <summary>
    /// The same while objects are small (at most <see cref="LookaheadBytes"/> / <see cref="Lookahead"/>), and the number of concurrent HEAD requests.
    /// </summary>
    /// <remarks>
    /// It hides the latency of storage: 128 requests at 20 ms are 6,400 objects per second. If it is below <see cref="Lookahead"/>, that number is used.
    /// </remarks>
    [Range(1, 1024)]
    public int LookaheadSmall { get; set; } = 128;

    /// <summary>
    /// Bytes between the object that is being sent and the furthest one that may be opened. Data that is read into memory ahead stays below it.
    /// </summary>
    [Range(0L, 1L << 30)]
    public long LookaheadBytes { get; set; } = 8 << 20;

    /// <summary>
    /// The kernel's receive buffer of a connection to storage (Linux): what a stalled client costs while its connection to storage is open. 0: the
    /// kernel's own tuning.
    /// </summary>
    /// <remarks>
    /// About half of it is TCP's window, which passes once per round trip: 256 KiB carry 100 MiB/s over 1.25 ms, and 6–13 MB/s over 20 ms. Distant
    /// storage gets more, up to <see cref="MaxWindowBytes"/>. The kernel caps it, without an error, at twice <c>net.core.rmem_max</c> (often 416 KiB);
    /// <c>ss -tm</c> shows the actual size as <c>rb</c>. With 0 each connection may grow up to the last number of <c>net.ipv4.tcp_rmem</c>.
    /// </remarks>
    [Range(0, 1 << 30)]
    public int WindowBytes { get; set; } = 256 << 10;

    /// <summary>The same for distant storage: a connection gets 2 × 100 MiB/s × round trip, at most this.</summary>
    /// <remarks>
    /// 4 MiB carry 100 MiB/s over 20 ms, and 20 MiB/s over 100 ms. If a connection needs more than the kernel grants (twice <c>net.core.rmem_max</c>), it
    /// keeps the kernel's own tuning. To bound it, raise <c>net.core.rmem_max</c> to half of this. A value of at most <see cref="WindowBytes"/> gives
    /// every connection <see cref="WindowBytes"/>.
    /// </remarks>
    [Range(0, 1 << 30)]
    public int MaxWindowBytes { get; set; } = 4 << 20;

    /// <summary>How long a client may read nothing before its bundle closes its connections to storage. 0: they stay open.</summary>
    /// <remarks>
    /// When the client continues, each object continues with a range request if its strong ETag is still the same. An object without a strong ETag keeps
    /// its connection. Every release doubles the time for the rest of the bundle. The default is longer than lost packets and short pauses take, and
    /// shorter than storage waits for a reader.
    /// </remarks>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan ReleaseAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// One part of a large object, if the cluster's metadata <c>Bundle.ParallelRanges</c> has several parts read at the same time. Each part that is
    /// being read needs this much memory.
    /// </summary>
    [Range(64 << 10, 64 << 20)]
    public int RangeBytes { get; set; } = 8 << 20;

    /// <summary>
    /// The largest ratio of decoded to stored bytes of an object, for routes with <c>Bundle.Encoded: decode</c>. A larger object is a 413. gzip cannot
    /// exceed 1,032. At least 1 MiB is always allowed.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxExpansion { get; set; } = 1100;

    /// <summary>Objects of at most this size are read into memory ahead.</summary>
    public long SmallObject => LookaheadBytes / Lookahead;

    /// <summary>Small objects that are opened, and HEAD requests that are sent, at the same time.</summary>
    public int MaxConcurrentOpens => Math.Max(Lookahead, LookaheadSmall);

    /// <summary>Whether storage gets the trace context of the bundle (W3C <c>traceparent</c>). It never gets that of the client.</summary>
    public bool PropagateTraceContext { get; set; }
}
