using System.ComponentModel.DataAnnotations;
using Gateway.Admission;
using Gateway.Archiving;
using Gateway.Health;
using Gateway.Links;
using Gateway.Resuming;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>The section <c>Bundle</c> of the configuration. Unknown keys and values out of range prevent the start.</summary>
internal sealed class BundleOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Bundle";

    /// <summary>The source of ids whose first segment is not a source. Default: none, such ids are rejected.</summary>
    public string? DefaultSource { get; set; }

    /// <summary>The policy in <c>Cors:Policies</c> for bundles, plans and links. Default: none, web apps on other origins cannot use them.</summary>
    public string? CorsPolicy { get; set; }

    /// <summary>Limits for each client and for all clients together.</summary>
    [ValidateObjectMembers]
    public LimitOptions Limits { get; set; } = new();

    /// <summary>How objects are read.</summary>
    [ValidateObjectMembers]
    public UpstreamOptions Upstream { get; set; } = new();

    /// <summary>How much memory bundles may hold.</summary>
    [ValidateObjectMembers]
    public MemoryOptions Memory { get; set; } = new();

    /// <summary>Timeouts and rates of clients.</summary>
    [ValidateObjectMembers]
    public ClientOptions Client { get; set; } = new();

    /// <summary>How archives are compressed.</summary>
    [ValidateObjectMembers]
    public CompressionOptions Compression { get; set; } = new();

    /// <summary>Rules for entry names.</summary>
    public NameOptions Names { get; set; } = new();

    /// <summary>What <c>/health/ready</c> depends on.</summary>
    public ReadyOptions Ready { get; set; } = new();

    /// <summary>What is stored about archives so that they can be resumed.</summary>
    [ValidateObjectMembers]
    public ResumeOptions Resume { get; set; } = new();

    /// <summary>Links to bundles.</summary>
    [ValidateObjectMembers]
    public BundleLinkOptions Links { get; set; } = new();

    /// <summary>How the process stops.</summary>
    [ValidateObjectMembers]
    public DrainOptions Drain { get; set; } = new();
}

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

/// <summary>How archives are compressed. Section <c>Bundle:Compression</c>.</summary>
internal sealed class CompressionOptions
{
    /// <summary>Default of the request's parameter: <c>fast</c> (default), <c>small</c> or <c>store</c>.</summary>
    [EnumDataType(typeof(Compression))]
    public Compression Default { get; set; } = Compression.Fast;

    /// <summary>
    /// The encoder for <c>fast</c>: <c>managed</c> (default), the same bytes everywhere, or <c>isal</c>, faster, for replicas on
    /// identical machines. A missing library prevents the start.
    /// </summary>
    [EnumDataType(typeof(FastEncoder))]
    public FastEncoder Encoder { get; set; }

    /// <summary>
    /// Blocks of one bundle that are compressed in parallel. Default 0: one for each core. Range 0–256. It affects speed and
    /// memory (two blocks of 128 KiB each), never the bytes.
    /// </summary>
    [Range(0, 256)]
    public int Workers { get; set; }

    /// <summary>The effective number.</summary>
    public int MostWorkers => Workers > 0 ? Workers : Environment.ProcessorCount;
}

/// <summary>Rules for entry names. Section <c>Bundle:Names</c>.</summary>
internal sealed class NameOptions
{
    /// <summary>
    /// Reject names that Windows cannot unpack: <c>&lt; &gt; : " | ? *</c>, reserved device names, segments that end in a dot or
    /// a space or are longer than 255 bytes. Default true. Names that lead out of a folder are always rejected.
    /// </summary>
    public bool Portable { get; set; } = true;
}

/// <summary>Generated validation of the range attributes.</summary>
[OptionsValidator]
internal sealed partial class BundleOptionsValidator : IValidateOptions<BundleOptions>;
