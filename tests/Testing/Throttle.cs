namespace Testing;

/// <summary>How a storage server throttles its clients.</summary>
/// <param name="Status">Status of rejected requests.</param>
/// <param name="RetryAfter">Their <c>Retry-After</c>, or none.</param>
internal sealed record Throttle(int Status, string? RetryAfter)
{
    /// <summary>Concurrent requests, each from its headers to the end of its response.</summary>
    public int MaxAtOnce { get; init; } = int.MaxValue;

    /// <summary>Requests within any second.</summary>
    public int MaxPerSecond { get; init; } = int.MaxValue;

    /// <summary>How long each response takes.</summary>
    public TimeSpan Latency { get; init; }
}
