namespace Gateway.Storage.Telemetry;

/// <summary>What bundles have requested from one destination of a source, and what came of it.</summary>
/// <remarks>Any number of threads.</remarks>
internal sealed class DestinationTraffic
{
    private long _answered;
    private long _failed;
    private long _bytes;
    private long _retries;
    private long _resumes;
    private long _broken;

    /// <summary>Requests whose response could be used; that an object does not exist is such a response.</summary>
    public long Answered => Volatile.Read(ref _answered);

    /// <summary>Requests that failed.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Bytes of objects.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Requests that were repeated because they failed.</summary>
    public long Retries => Volatile.Read(ref _retries);

    /// <summary>Bodies that broke or were closed, and were continued.</summary>
    public long Resumes => Volatile.Read(ref _resumes);

    /// <summary>Bodies that broke, stalled or were too slow.</summary>
    public long Broken => Volatile.Read(ref _broken);

    /// <summary>Counts a request.</summary>
    public void CountRequest(bool isFailed) => Interlocked.Increment(ref isFailed ? ref _failed : ref _answered);

    /// <summary>Counts bytes of an object.</summary>
    public void CountBytes(int count) => Interlocked.Add(ref _bytes, count);

    /// <summary>Counts a request that is repeated.</summary>
    public void CountRetry() => Interlocked.Increment(ref _retries);

    /// <summary>Counts a body that is continued.</summary>
    public void CountResume() => Interlocked.Increment(ref _resumes);

    /// <summary>Counts a body that broke.</summary>
    public void CountBroken() => Interlocked.Increment(ref _broken);
}
