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

    /// <summary>Objects opened ahead of the one being sent, and heads asked for at once. Default 16, range 1–1,024.</summary>
    [Range(1, 1024)]
    public int Lookahead { get; set; } = 16;

    /// <summary>
    /// Bytes of a bundle between what is being sent and the furthest object that may be opened; what is read into memory ahead
    /// stays below it. Default 8 MiB, range 0–1 GiB.
    /// </summary>
    [Range(0L, 1L << 30)]
    public long LookaheadBytes { get; set; } = 8 << 20;
}
