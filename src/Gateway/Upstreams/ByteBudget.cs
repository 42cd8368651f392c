namespace Gateway.Upstreams;

/// <summary>Bytes that may be held in memory before they are wanted.</summary>
internal sealed class ByteBudget(long bytes)
{
    private long _left = bytes;

    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _left, -bytes) >= 0)
        {
            return true;
        }

        Interlocked.Add(ref _left, bytes);
        return false;
    }
}
