using Gateway.Archiving.Blocks;

namespace Gateway.Archiving;

/// <summary>What compression has cost this process.</summary>
public static class CompressionStatistics
{
    /// <summary>The time that threads have spent compressing blocks since the start of the process. Two threads in parallel count twice.</summary>
    public static TimeSpan Time => BlockJob.EncodingTime;
}
