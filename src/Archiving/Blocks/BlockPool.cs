using System.Collections.Concurrent;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// Blocks of memory of one size, as many as were ever in use at the same moment. The runtime's shared pool keeps a few of each
/// size only and drops the rest; what it drops stays alive all the same where a socket's last read went into it, so that
/// thousands of paused downloads would each keep a block that none of them uses.
/// </summary>
internal sealed class BlockPool(int size)
{
    private readonly ConcurrentStack<byte[]> _free = new();
    private int _made;

    /// <summary>Blocks in use now.</summary>
    public int Rented => Volatile.Read(ref _made) - _free.Count;

    public byte[] Rent() => _free.TryPop(out var block) ? block : Make();

    public void Return(byte[] block) => _free.Push(block);

    private byte[] Make()
    {
        Interlocked.Increment(ref _made);
        return GC.AllocateUninitializedArray<byte>(size);
    }
}
