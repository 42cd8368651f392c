namespace Testing;

/// <summary>How a storage server limits its clients.</summary>
/// <param name="Status">Of the requests that it refuses.</param>
/// <param name="RetryAfter">Their <c>Retry-After</c>, or none.</param>
internal sealed record Throttle(int Status, string? RetryAfter)
{
    /// <summary>Requests at a time, from their headers to the end of their response.</summary>
    public int MaxAtOnce { get; init; } = int.MaxValue;

    /// <summary>Requests in any second.</summary>
    public int MaxPerSecond { get; init; } = int.MaxValue;

    /// <summary>How long each response takes.</summary>
    public TimeSpan Latency { get; init; }
}
