namespace Gateway.Upstreams;

/// <summary>Bytes that may be held in memory before they are wanted.</summary>
internal sealed class ByteBudget(long bytes)
{
    private long _left = bytes;

    /// <summary>Takes as much of what is wanted as there is.</summary>
    public int TakeUpTo(int wanted)
    {
        while (true)
        {
            var left = Volatile.Read(ref _left);
            var taken = (int)Math.Min(left, wanted);
            if (Interlocked.CompareExchange(ref _left, left - taken, left) == left)
            {
                return taken;
            }
        }
    }

    public void Return(long bytes) => Interlocked.Add(ref _left, bytes);
}
