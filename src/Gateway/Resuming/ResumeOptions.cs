using System.ComponentModel.DataAnnotations;

namespace Gateway.Resuming;

/// <summary>What replicas share to resume archives. Section <c>Bundle:Resume</c>.</summary>
internal sealed class ResumeOptions
{
    /// <summary>
    /// How long Redis keeps the checkpoints of an archive after its last part was built. Resuming later is slower; nothing else changes.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan KeepFor { get; set; } = TimeSpan.FromDays(1);
}
