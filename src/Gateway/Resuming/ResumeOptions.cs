using System.ComponentModel.DataAnnotations;

namespace Gateway.Resuming;

/// <summary>What is stored about archives so that they can be resumed. Section <c>Bundle:Resume</c>.</summary>
internal sealed class ResumeOptions
{
    /// <summary>
    /// How long Redis keeps what replicas recorded about an archive, after its last part was written. Default 1 day, range 1 min–30 days. A
    /// later resume takes longer but is just as correct.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(1);
}
