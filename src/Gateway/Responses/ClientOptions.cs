using System.ComponentModel.DataAnnotations;

namespace Gateway.Responses;

/// <summary>Timeouts and rates of clients. Section <c>Bundle:Client</c>.</summary>
internal sealed class ClientOptions
{
    /// <summary>
    /// How long a client may take for one block of an archive (128 KiB before compression, 512 KiB for <c>small</c>) before it is
    /// disconnected. Default 5 min, range 100 ms–1 day.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Minimum bytes per second of a client while others wait for a permit, measured over 10 s in which the gateway waits for it.
    /// A slower client is disconnected, and can resume. While no other client waits, only <see cref="StallTimeout"/> applies. Default 0: off.
    /// Range 0–1 GiB.
    /// </summary>
    [Range(0L, 1L << 30)]
    public long MinRate { get; set; }

    /// <summary>
    /// Maximum number of unsent bytes in the kernel's buffer for a client (Linux). A stalled client costs as many of
    /// storage's bytes. Bytes in flight to a distant client are not limited. Default 128 KiB, range 0–1 GiB; 0 leaves it to the
    /// kernel, which buffers some 4 MiB.
    /// </summary>
    [Range(0, 1 << 30)]
    public int UnsentBytes { get; set; } = 128 << 10;
}
