namespace Gateway.Storage.Objects;

/// <summary>Bytes that a bundle may read ahead into memory. The caller returns what it takes.</summary>
public sealed class ByteBudget(long bytes)
{
    private long _left = bytes;

    /// <summary>The initial budget.</summary>
    public long Total { get; } = bytes;

    /// <summary>Whether everything that was taken has been returned.</summary>
    public bool IsWhole => Volatile.Read(ref _left) == Total;

    /// <summary>Takes all of the requested bytes, or nothing.</summary>
    public bool TryTake(long wanted)
    {
        while (Volatile.Read(ref _left) is var left && wanted <= left)
        {
            if (Interlocked.CompareExchange(ref _left, left - wanted, left) == left)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Returns bytes that were taken.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _left, bytes);
}
