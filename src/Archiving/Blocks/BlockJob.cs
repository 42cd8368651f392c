using System.Buffers;
using System.IO.Pipelines;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// One block on its way through a worker: encoded on the thread pool, written in its turn by whoever owns the output.
/// </summary>
/// <remarks>
/// It owns the plain bytes until they are encoded, and from then on only the encoded ones, in a buffer of their own size: blocks
/// wait for slow clients by the thousand. The worker encodes into scratch memory of its thread. The buffer goes back when the
/// block has been written or given up; the worker ends in either case, so none goes back while somebody may still touch it.
/// </remarks>
internal sealed class BlockJob
{
    // How long an encoded block may wait for the next one to be full.
    private const int PatienceMilliseconds = 1000;

    // Blocks of all archives that wait for a worker or are being encoded.
    private static int _open;

    [ThreadStatic]
    private static byte[]? _scratch;

    private readonly BlockEncoder _encoder;
    private readonly int _length;
    private readonly long _started = Environment.TickCount64;
    private readonly Task<int> _encoding;
    private byte[]? _plain;
    private byte[]? _encoded;

    public BlockJob(BlockEncoder encoder, byte[] plain, int length, Checkpoint? end)
    {
        Interlocked.Increment(ref _open);
        End = end;
        _encoder = encoder;
        _plain = plain;
        _length = length;

        // In the pool's common queue, behind the blocks of others: a bundle of many blocks must not keep a small one waiting.
        _encoding = Task.Factory.StartNew(
            static job => ((BlockJob)job!).Encode(), this, CancellationToken.None, TaskCreationOptions.PreferFairness | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
    }

    /// <summary>Whether so many blocks wait that more at once from one archive would only cost memory.</summary>
    public static bool IsCrowded => Volatile.Read(ref _open) > 4 * Environment.ProcessorCount;

    /// <summary>The place behind the block, if it is to be remembered; its offset is not known here.</summary>
    public Checkpoint? End { get; private set; }

    /// <summary>Whether the block after this one takes long to fill: whoever reads shall not wait for it.</summary>
    public bool IsOverdue => Environment.TickCount64 - _started > PatienceMilliseconds;

    /// <summary>Done, well or not.</summary>
    public bool IsCompleted => _encoding.IsCompleted;

    /// <summary>Ends when the block can be written; an encoder that failed throws here.</summary>
    public Task EncodedAsync() => _encoding;

    /// <summary>Writes the encoded block and gives its memory back.</summary>
    /// <returns>The bytes written, and whether the block was stored because it did not shrink.</returns>
    public (int Length, bool IsStored) Write(PipeWriter output)
    {
        try
        {
            var length = _encoding.Result;
            if (length > 0)
            {
                End = End?.Behind(_encoded.AsSpan(0, length));
                output.Write(_encoded.AsSpan(0, length));
                return (length, false);
            }

            var room = output.GetSpan(_encoder.Stored.EncodedLength(_length));
            length = _encoder.Stored.Write(_plain.AsSpan(0, _length), room);
            End = End?.Behind(room[..length]);
            output.Advance(length);
            return (length, true);
        }
        finally
        {
            // Also where the output throws: nobody else has the block any more.
            Return();
        }
    }

    /// <summary>Nobody wants the block any more.</summary>
    public void GiveUp() => _encoding.ContinueWith(
        static (_, job) => ((BlockJob)job!).Return(),
        this,
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    private void Return()
    {
        ReturnPlain();
        if (_encoded is { } encoded)
        {
            _encoded = null;
            ArrayPool<byte>.Shared.Return(encoded);
        }
    }

    private void ReturnPlain()
    {
        if (_plain is { } plain)
        {
            _plain = null;
            _encoder.Blocks.Return(plain);
        }
    }

    private int Encode()
    {
        try
        {
            var room = _encoder.RoomFor(_length);
            if (_scratch is null || _scratch.Length < room)
            {
                _scratch = new byte[room];
            }

            var length = _encoder.TryEncode(_plain.AsSpan(0, _length), _scratch.AsMemory(0, room));
            if (length > 0)
            {
                _encoded = ArrayPool<byte>.Shared.Rent(length);
                _scratch.AsSpan(0, length).CopyTo(_encoded);
                ReturnPlain();
            }

            return length;
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
