using System.ComponentModel.DataAnnotations;

namespace Gateway.Resuming;

/// <summary>What is remembered of archives. Section <c>Bundle:Resume</c>.</summary>
internal sealed class ResumeOptions
{
    /// <summary>
    /// How long Redis keeps what replicas learned of an archive, after its last part was made. Default 1 day, range 1 min–30 days. A
    /// resume after that takes longer; it is as right.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(1);
}
