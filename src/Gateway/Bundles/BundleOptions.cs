using System.ComponentModel.DataAnnotations;
using Gateway.Admission;
using Gateway.Archiving;
using Gateway.Health;
using Gateway.Links;
using Gateway.Resuming;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>The section <c>Bundle</c> of the configuration. Unknown keys and values out of range stop the start.</summary>
internal sealed class BundleOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Bundle";

    /// <summary>The source of ids whose first segment names no source. Default: none, such ids are refused.</summary>
    public string? DefaultSource { get; set; }

    /// <summary>The policy in <c>Cors:Policies</c> for bundles, plans and links. Default: none, web apps on other origins cannot use them.</summary>
    public string? CorsPolicy { get; set; }

    /// <summary>How much one client, and all together, may ask for.</summary>
    [ValidateObjectMembers]
    public LimitOptions Limits { get; set; } = new();

    /// <summary>How objects are read.</summary>
    [ValidateObjectMembers]
    public UpstreamOptions Upstream { get; set; } = new();

    /// <summary>How much memory bundles may hold.</summary>
    [ValidateObjectMembers]
    public MemoryOptions Memory { get; set; } = new();

    /// <summary>How patient we are with clients.</summary>
    [ValidateObjectMembers]
    public ClientOptions Client { get; set; } = new();

    /// <summary>How archives are compressed.</summary>
    [ValidateObjectMembers]
    public CompressionOptions Compression { get; set; } = new();

    /// <summary>Which names entries may have.</summary>
    public NameOptions Names { get; set; } = new();

    /// <summary>What <c>/health/ready</c> depends on.</summary>
    public ReadyOptions Ready { get; set; } = new();

    /// <summary>What is remembered of archives.</summary>
    [ValidateObjectMembers]
    public ResumeOptions Resume { get; set; } = new();

    /// <summary>Links to bundles.</summary>
    [ValidateObjectMembers]
    public BundleLinkOptions Links { get; set; } = new();

    /// <summary>How the process stops.</summary>
    [ValidateObjectMembers]
    public DrainOptions Drain { get; set; } = new();
}

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

/// <summary>How archives are compressed. Section <c>Bundle:Compression</c>.</summary>
internal sealed class CompressionOptions
{
    /// <summary>Used where a request names none: <c>fast</c> (default), <c>small</c> or <c>store</c>.</summary>
    [EnumDataType(typeof(Compression))]
    public Compression Default { get; set; } = Compression.Fast;

    /// <summary>
    /// Who compresses <c>fast</c>: <c>managed</c> (default), the same bytes everywhere, or <c>isal</c>, faster, for replicas on
    /// machines that are alike. A missing library stops the start.
    /// </summary>
    [EnumDataType(typeof(FastEncoder))]
    public FastEncoder Encoder { get; set; }

    /// <summary>
    /// Blocks of one bundle that are compressed at a time. Default 0: one for each core. Range 0–256. It changes speed and
    /// memory (two blocks of 128 KiB each), never a byte.
    /// </summary>
    [Range(0, 256)]
    public int Workers { get; set; }

    /// <summary>The number that holds.</summary>
    public int MostWorkers => Workers > 0 ? Workers : Environment.ProcessorCount;
}

/// <summary>Which names entries may have. Section <c>Bundle:Names</c>.</summary>
internal sealed class NameOptions
{
    /// <summary>
    /// Refuse names that Windows cannot unpack: <c>&lt; &gt; : " | ? *</c>, reserved device names, segments that end in a dot or
    /// a blank or are longer than 255 bytes. Default true. Names that lead out of a folder are refused whatever this says.
    /// </summary>
    public bool Portable { get; set; } = true;
}

/// <summary>Checks ranges by the attributes, generated.</summary>
[OptionsValidator]
internal sealed partial class BundleOptionsValidator : IValidateOptions<BundleOptions>;
