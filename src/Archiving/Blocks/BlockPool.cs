namespace Gateway.Archiving.Blocks;

/// <summary>
/// A pool of equally sized blocks that keeps as many as were in use at the same time during the last minute. The runtime's shared pool
/// keeps only a few of each size and drops the others. A dropped block stays alive if a socket's last read went into it, so thousands
/// of paused downloads would each keep an unused block alive.
/// </summary>
/// <remarks>The caller owns a block from <see cref="Rent"/> to <see cref="Return"/>. Thread-safe. At the end of each
/// <see cref="Period"/> the pool drops the blocks that were not needed during it. So it shrinks after a peak, and is empty when
/// idle.</remarks>
/// <param name="size">Bytes of a block.</param>
/// <param name="time">The clock; null: the system clock.</param>
internal sealed class BlockPool(int size, TimeProvider? time = null)
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Stack<byte[]> _free = new();
    private ITimer? _timer;
    private bool _isTimed;
    private int _made;

    // The minimum number of free blocks during this period.
    private int _minFree;

    /// <summary>Blocks in use now.</summary>
    public int Rented
    {
        get
        {
            lock (_lock)
            {
                return _made - _free.Count;
            }
        }
    }

    /// <summary>Blocks in use or kept for the next use.</summary>
    public int Made
    {
        get
        {
            lock (_lock)
            {
                return _made;
            }
        }
    }

    public byte[] Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out var block))
            {
                _minFree = Math.Min(_minFree, _free.Count);
                return block;
            }

            _made++;
        }

        return GC.AllocateUninitializedArray<byte>(size);
    }

    public void Return(byte[] block)
    {
        lock (_lock)
        {
            _free.Push(block);
            Schedule();
        }
    }

    private void Schedule()
    {
        if (!_isTimed && _free.Count > 0)
        {
            _isTimed = true;
            _timer ??= (time ?? TimeProvider.System).CreateTimer(static pool => ((BlockPool)pool!).Trim(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(Period, Timeout.InfiniteTimeSpan);
        }
    }

    private void Trim()
    {
        lock (_lock)
        {
            for (; _minFree > 0; _minFree--)
            {
                _free.Pop();
                _made--;
            }

            _minFree = _free.Count;
            _isTimed = false;
            Schedule();
        }
    }
}
