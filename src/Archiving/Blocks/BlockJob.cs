using System.Buffers;
using System.IO.Pipelines;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// One block on its way through a worker: encoded on the thread pool, written in its turn by whoever owns the output.
/// </summary>
/// <remarks>
/// It owns both buffers, the plain one from the start and the encoded one while it runs. They go back to the pool when the
/// block has been written, or, if the archive was given up, when the worker is done: never while a worker may still touch them.
/// </remarks>
internal sealed class BlockJob
{
    private readonly byte[] _plain;
    private readonly int _length;
    private readonly byte[] _encoded;
    private readonly Task<int> _encoding;

    public BlockJob(BlockEncoder encoder, byte[] plain, int length)
    {
        _plain = plain;
        _length = length;
        _encoded = ArrayPool<byte>.Shared.Rent(BlockEncoder.MaxEncodedLength(length));
        _encoding = Task.Run(() => encoder.Encode(_plain.AsSpan(0, _length), _encoded));
    }

    /// <summary>Done, well or not.</summary>
    public bool IsCompleted => _encoding.IsCompleted;

    /// <summary>Ends when the block can be written; an encoder that failed throws here.</summary>
    public Task EncodedAsync() => _encoding;

    /// <summary>Writes the encoded block and gives the buffers back.</summary>
    /// <returns>Whether the block was stored because it did not shrink.</returns>
    public bool Write(PipeWriter output)
    {
        var length = _encoding.Result;
        output.Write(_encoded.AsSpan(0, length));
        ReturnBuffers();
        return length == BlockEncoder.MaxEncodedLength(_length);
    }

    /// <summary>Nobody wants the block any more.</summary>
    public void GiveUp() =>
        _encoding.ContinueWith(static (_, job) => ((BlockJob)job!).ReturnBuffers(), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void ReturnBuffers()
    {
        ArrayPool<byte>.Shared.Return(_plain);
        ArrayPool<byte>.Shared.Return(_encoded);
    }
}
