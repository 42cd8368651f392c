using Gateway.Admission;
using Gateway.Health;
using Gateway.Links;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Storage;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

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

/// <summary>Checks ranges by the attributes, generated.</summary>
[OptionsValidator]
internal sealed partial class BundleOptionsValidator : IValidateOptions<BundleOptions>;
