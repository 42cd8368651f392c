using System.ComponentModel.DataAnnotations;

namespace Gateway.Upstreams;

/// <summary>How patiently, and how far ahead, objects are read from storage. Section <c>Bundle:Upstream</c>.</summary>
internal sealed class UpstreamOptions
{
    /// <summary>
    /// From sending a request until the head of the answer is there, for each attempt. Default 30 s, range 10 ms–1 h. Half of
    /// it, 15 s at the most, is for the connection. After it another destination is tried, or the answer is 504. A cluster's
    /// <c>HttpRequest:ActivityTimeout</c> (YARP's own, 100 s where it is not set) comes first where it is shorter.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a body may stand still while we wait for it before it is reopened where it stopped. Time in which the client
    /// keeps us waiting does not count. Default 30 s, range 10 ms–1 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Tries in a row without progress, for a head as for the rest of a body. Default 4, range 1–100.</summary>
    [Range(1, 100)]
    public int Attempts { get; set; } = 4;

    /// <summary>Objects opened ahead of the one being sent. Default 16, range 1–1,024.</summary>
    [Range(1, 1024)]
    public int Lookahead { get; set; } = 16;

    /// <summary>
    /// The same while objects are small, that is at most <see cref="LookaheadBytes"/> / <see cref="Lookahead"/>; and heads asked
    /// for at once. It hides storage's latency: 128 at 20 ms are 6,400 objects a second. Default 128, range 1–1,024; below
    /// <see cref="Lookahead"/> that one counts.
    /// </summary>
    [Range(1, 1024)]
    public int LookaheadSmall { get; set; } = 128;

    /// <summary>
    /// Bytes of a bundle between what is being sent and the furthest object that may be opened; what is read into memory ahead
    /// stays below it. Default 8 MiB, range 0–1 GiB.
    /// </summary>
    [Range(0L, 1L << 30)]
    public long LookaheadBytes { get; set; } = 8 << 20;

    /// <summary>
    /// Bytes that the kernel may take from a connection to a bundle's storage before we read them. More helps a single stream from
    /// far away (a window passes once in a round trip: 512 KiB at 20 ms are 26 MB/s), less lets a client that stands still cost
    /// less. Default 512 KiB, range 0–1 GiB; 0 leaves it to the kernel.
    /// </summary>
    [Range(0, 1 << 30)]
    public int WindowBytes { get; set; } = 512 << 10;

    /// <summary>
    /// Bytes of one part where a cluster's metadata <c>Bundle.ParallelRanges</c> (1–32, default 1) has large objects read by
    /// several requests at once: each part that is on its way has that much memory. Default 8 MiB, range 64 KiB–64 MiB.
    /// </summary>
    [Range(64 << 10, 64 << 20)]
    public int RangeBytes { get; set; } = 8 << 20;

    /// <summary>Objects of at most this size are taken into memory ahead, one by one or many.</summary>
    public long SmallObject => LookaheadBytes / Lookahead;

    /// <summary>Small objects, and heads, asked for at once.</summary>
    public int MostAtOnce => Math.Max(Lookahead, LookaheadSmall);
}
