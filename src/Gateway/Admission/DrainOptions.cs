using System.ComponentModel.DataAnnotations;

namespace Gateway.Admission;

/// <summary>How the process stops after SIGTERM. Section <c>Bundle:Drain</c>.</summary>
internal sealed class DrainOptions
{
    /// <summary>
    /// How long new bundles are still accepted while <c>/health/ready</c> already returns 503, so that load balancers notice before a request is refused.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long running bundles may take after that before they are cut.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(5);
}
