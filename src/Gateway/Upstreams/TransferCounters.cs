namespace Gateway.Upstreams;

/// <summary>What a bundle took from storage; objects that are opened ahead count at the same time.</summary>
internal sealed class TransferCounters
{
    private long _bytes;
    private int _retries;
    private int _resumes;

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Opens that were repeated.</summary>
    public int Retries => Volatile.Read(ref _retries);

    /// <summary>Bodies that broke off and were continued.</summary>
    public int Resumes => Volatile.Read(ref _resumes);

    public void CountBytes(int count) => Interlocked.Add(ref _bytes, count);

    public void CountRetry() => Interlocked.Increment(ref _retries);

    public void CountResume() => Interlocked.Increment(ref _resumes);
}
