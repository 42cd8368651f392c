using System.ComponentModel.DataAnnotations;
using Gateway.Admission;
using Gateway.Archiving;
using Gateway.Health;
using Gateway.Links;
using Gateway.Resuming;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>Settings of bundles, plans and links. Section <c>Bundle</c>. Read once at the start.</summary>
internal sealed class BundleOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Bundle";

    /// <summary>The source of ids whose first segment is not a source. Without it such ids are refused.</summary>
    public string? DefaultSource { get; set; }

    /// <summary>The policy in <c>Cors:Policies</c> for bundles, plans and links. Without it web apps on other origins cannot use them.</summary>
    public string? CorsPolicy { get; set; }

    /// <summary>How many bundles run, and how large they are.</summary>
    [ValidateObjectMembers]
    public LimitOptions Limits { get; set; } = new();

    /// <summary>How objects are read from storage.</summary>
    [ValidateObjectMembers]
    public UpstreamOptions Upstream { get; set; } = new();

    /// <summary>How much memory all requests may hold.</summary>
    [ValidateObjectMembers]
    public MemoryOptions Memory { get; set; } = new();

    /// <summary>How long the gateway waits for clients.</summary>
    [ValidateObjectMembers]
    public ClientOptions Client { get; set; } = new();

    /// <summary>How archives are compressed.</summary>
    [ValidateObjectMembers]
    public CompressionOptions Compression { get; set; } = new();

    /// <summary>Which names entries may have.</summary>
    public NameOptions Names { get; set; } = new();

    /// <summary>What <c>/health/ready</c> depends on.</summary>
    public ReadyOptions Ready { get; set; } = new();

    /// <summary>What replicas share to resume archives.</summary>
    [ValidateObjectMembers]
    public ResumeOptions Resume { get; set; } = new();

    /// <summary>Links to bundles.</summary>
    [ValidateObjectMembers]
    public BundleLinkOptions Links { get; set; } = new();

    /// <summary>How the process stops after SIGTERM.</summary>
    [ValidateObjectMembers]
    public DrainOptions Drain { get; set; } = new();
}

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
}

/// <summary>How archives are compressed. Section <c>Bundle:Compression</c>.</summary>
internal sealed class CompressionOptions
{
    /// <summary>The compression of requests that do not specify one.</summary>
    [EnumDataType(typeof(Compression))]
    public Compression Default { get; set; } = Compression.Fast;

    /// <summary>
    /// What compresses <c>fast</c> for <c>tar.gz</c> and <c>zip</c>: <c>managed</c> gives the same bytes on every machine; <c>isal</c>
    /// (<c>libisal.so.2</c>) is faster, for replicas on similar machines. A missing library stops the start.
    /// </summary>
    [EnumDataType(typeof(FastEncoder))]
    public FastEncoder Encoder { get; set; }

    /// <summary>Blocks of one bundle that are compressed at the same time. 0: one for each core.</summary>
    /// <remarks>The number changes speed and memory (two blocks for each worker), but never a byte of the archive.</remarks>
    [Range(0, 256)]
    public int Workers { get; set; }

    /// <summary>The effective number.</summary>
    public int MostWorkers => Workers > 0 ? Workers : Environment.ProcessorCount;
}

/// <summary>Which names entries may have. Section <c>Bundle:Names</c>.</summary>
internal sealed class NameOptions
{
    /// <summary>
    /// Refuse names that Windows cannot unpack: <c>&lt; &gt; : " | ? *</c>, reserved device names, and segments that end in a dot or a space or exceed
    /// 255 bytes. Names that leave their folder are always refused.
    /// </summary>
    public bool Portable { get; set; } = true;
}

/// <summary>Checks ranges by the attributes, generated.</summary>
[OptionsValidator]
internal sealed partial class BundleOptionsValidator : IValidateOptions<BundleOptions>;
