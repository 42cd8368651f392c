using System.Buffers;
using System.IO.Pipelines;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// One block on its way through a worker: encoded on the thread pool, written in its turn by whoever owns the output.
/// </summary>
/// <remarks>
/// It owns two buffers of a block each, the plain bytes and room for the encoded ones. When the worker is done it gives the one
/// back that is not needed any more; the other goes back when the block has been written or given up. The worker ends in either
/// case, so no buffer goes back while somebody may still touch it.
/// </remarks>
internal sealed class BlockJob
{
    private readonly BlockEncoder _encoder;
    private readonly int _length;
    private readonly Task<int> _encoding;
    private byte[]? _plain;
    private byte[]? _encoded;

    public BlockJob(BlockEncoder encoder, byte[] plain, int length)
    {
        _encoder = encoder;
        _plain = plain;
        _length = length;
        _encoded = ArrayPool<byte>.Shared.Rent(length);

        // In the pool's common queue, behind the blocks of others: a bundle of many blocks must not keep a small one waiting.
        _encoding = Task.Factory.StartNew(
            static job => ((BlockJob)job!).Encode(), this, CancellationToken.None, TaskCreationOptions.PreferFairness | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
    }

    /// <summary>Done, well or not.</summary>
    public bool IsCompleted => _encoding.IsCompleted;

    /// <summary>Ends when the block can be written; an encoder that failed throws here.</summary>
    public Task EncodedAsync() => _encoding;

    /// <summary>Writes the encoded block and gives its memory back.</summary>
    /// <returns>Whether the block was stored because it did not shrink.</returns>
    public bool Write(PipeWriter output)
    {
        var length = _encoding.Result;
        if (length > 0)
        {
            output.Write(_encoded.AsSpan(0, length));
        }
        else
        {
            output.Advance(StoredBlock.Write(_plain.AsSpan(0, _length), output.GetSpan(StoredBlock.EncodedLength(_length))));
        }

        Return(ref _plain);
        Return(ref _encoded);
        return length == 0;
    }

    /// <summary>Nobody wants the block any more.</summary>
    public void GiveUp() => _encoding.ContinueWith(
        static (_, state) =>
        {
            var job = (BlockJob)state!;
            Return(ref job._plain);
            Return(ref job._encoded);
        },
        this,
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    private static void Return(ref byte[]? buffer)
    {
        if (buffer is { } rented)
        {
            buffer = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private int Encode()
    {
        var length = _encoder.TryEncode(_plain.AsSpan(0, _length), _encoded.AsMemory(0, _length));
        Return(ref length > 0 ? ref _plain : ref _encoded);
        return length;
    }
}
