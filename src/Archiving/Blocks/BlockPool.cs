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

    public byte[] Rent() => _free.TryPop(out var block) ? block : GC.AllocateUninitializedArray<byte>(size);

    public void Return(byte[] block) => _free.Push(block);
}
