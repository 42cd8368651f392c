namespace Gateway.Storage.Objects;

/// <summary>What a bundle read from storage; objects that are opened ahead are counted concurrently.</summary>
public sealed class TransferCounters
{
    /// <summary>How many objects of one bundle are decoded in parallel to determine their sizes.</summary>
    public const int MaxMeasuring = 2;

    private long _bytes;
    private int _retries;
    private int _resumes;

    /// <summary>Bytes of objects.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Opens that were retried.</summary>
    public int Retries => Volatile.Read(ref _retries);

    /// <summary>Bodies that broke and were continued.</summary>
    public int Resumes => Volatile.Read(ref _resumes);

    /// <summary>Permits for decoding an object to determine its size; <see cref="MaxMeasuring"/> of them.</summary>
    public SemaphoreSlim Measuring { get; } = new(MaxMeasuring);

    /// <summary>Counts bytes of an object.</summary>
    public void CountBytes(int count) => Interlocked.Add(ref _bytes, count);

    /// <summary>Counts an open that was repeated.</summary>
    public void CountRetry() => Interlocked.Increment(ref _retries);

    /// <summary>Counts a body that was continued.</summary>
    public void CountResume() => Interlocked.Increment(ref _resumes);
}
