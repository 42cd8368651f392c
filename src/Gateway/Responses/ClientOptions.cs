using System.ComponentModel.DataAnnotations;

namespace Gateway.Responses;

/// <summary>How patient we are with clients. Section <c>Bundle:Client</c>.</summary>
internal sealed class ClientOptions
{
    /// <summary>
    /// How long a client may take for one block of an archive (128 KiB before compression, 512 KiB for <c>small</c>) before it is
    /// cut off. Default 5 min, range 100 ms–1 day.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Bytes per second that a client must take while others wait for a permit, measured over 10 s in which the gateway waits for it.
    /// A slower client is cut, and can resume; while no other client waits it may be as slow as <see cref="StallTimeout"/> allows. Default 0: off.
    /// Range 0–1 GiB.
    /// </summary>
    [Range(0L, 1L << 30)]
    public long MinRate { get; set; }

    /// <summary>
    /// Bytes that the kernel may hold for a client and has not sent yet (Linux). A client that stands still costs as many of
    /// storage's bytes; what is on its way to a distant one is not bounded. Default 128 KiB, range 0–1 GiB; 0 leaves it to the
    /// kernel, which holds some 4 MiB.
    /// </summary>
    [Range(0, 1 << 30)]
    public int UnsentBytes { get; set; } = 128 << 10;
}
