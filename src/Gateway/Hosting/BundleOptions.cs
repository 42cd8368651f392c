using Gateway.Admission;
using Gateway.Health;
using Gateway.Links;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Storage;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

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

/// <summary>Generated validation of the range attributes.</summary>
[OptionsValidator]
internal sealed partial class BundleOptionsValidator : IValidateOptions<BundleOptions>;
