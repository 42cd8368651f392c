using System.ComponentModel.DataAnnotations;

namespace Gateway.Responses;

/// <summary>How long the gateway waits for clients. Section <c>Bundle:Client</c>.</summary>
internal sealed class ClientOptions
{
    /// <summary>
    /// How long a client may take to read one block of an archive (128 KiB before compression, 512 KiB for <c>small</c>) before it is disconnected.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Bytes per second that a client must read while other bundles wait for a permit. A slower client is disconnected and can resume. 0: off.
    /// </summary>
    /// <remarks>
    /// The rate is measured over 10 s in which the gateway waits for the client. While no other bundle waits, a client may be as slow as <see cref="StallTimeout"/> allows.
    /// </remarks>
    [Range(0L, 1L << 30)]
    public long MinRate { get; set; }

    /// <summary>Unsent bytes that the kernel may hold for one client (Linux). 0: the kernel decides, and holds about 4 MiB.</summary>
    /// <remarks>
    /// This is what a client that stops reading costs. Bytes that are on their way to a distant client do not count, so it loses no speed.
    /// </remarks>
    [Range(0, 1 << 30)]
    public int UnsentBytes { get; set; } = 128 << 10;

    /// <summary>Whether the trace of a bundle continues the trace of the client (W3C <c>traceparent</c>). Otherwise the bundle begins a new trace and is
    /// only linked to the client's. By default clients do not decide what is recorded.</summary>
    public bool AcceptTraceContext { get; set; }
}
