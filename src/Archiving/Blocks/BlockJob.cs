using System.Buffers;
using System.IO.Pipelines;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// One block in progress: encoded on the thread pool, written in order by the owner of the output.
/// </summary>
/// <remarks>
/// It owns the uncompressed bytes until they are encoded, and then only the encoded ones, in a buffer of their size, because
/// thousands of blocks may wait for slow clients. The worker encodes into thread-local scratch memory. The buffer is returned once
/// the block has been written or abandoned; both wait for the worker, so a buffer in use is never returned.
/// </remarks>
internal sealed class BlockJob
{
    // How long an encoded block may wait until the next one is full.
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);

    // Blocks of all archives that wait for a worker or are being encoded.
    private static int _open;

    // Of all threads, in ticks of the system clock.
    private static long _encodingTicks;

    [ThreadStatic]
    private static byte[]? _scratch;

    private readonly BlockEncoder _encoder;
    private readonly int _length;
    private readonly long _started = TimeProvider.System.GetTimestamp();
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

        // The global queue keeps blocks of all bundles in order: a bundle of many blocks must not delay a small one.
        _encoding = Task.Factory.StartNew(
            static job => ((BlockJob)job!).Encode(), this, CancellationToken.None, TaskCreationOptions.PreferFairness | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
    }

    /// <summary>Whether so many blocks are waiting that more blocks in parallel from one archive would only cost memory.</summary>
    public static bool IsCrowded => Volatile.Read(ref _open) > 4 * Environment.ProcessorCount;

    /// <summary>The time that all threads have spent encoding.</summary>
    public static TimeSpan EncodingTime => TimeProvider.System.GetElapsedTime(0, Volatile.Read(ref _encodingTicks));

    /// <summary>The checkpoint after the block, if one is due. Its offset in the archive is not yet known.</summary>
    public Checkpoint? End { get; private set; }

    /// <summary>Whether the next block fills slowly, so that this one should be sent without waiting for it.</summary>
    public bool IsOverdue => TimeProvider.System.GetElapsedTime(_started) > MaxDelay;

    /// <summary>Whether encoding has ended, successfully or not.</summary>
    public bool IsCompleted => _encoding.IsCompleted;

    /// <summary>Completes when the block can be written; throws if the encoder failed.</summary>
    public Task EncodedAsync() => _encoding;

    /// <summary>Writes the encoded block and returns its memory.</summary>
    /// <returns>The number of bytes written, and whether the block was stored because it did not shrink.</returns>
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
            // Even if the output throws: nothing else refers to the block any more.
            Return();
        }
    }

    /// <summary>Abandons the block.</summary>
    public void Abandon() => _encoding.ContinueWith(
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
        var started = TimeProvider.System.GetTimestamp();
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
            Interlocked.Add(ref _encodingTicks, TimeProvider.System.GetTimestamp() - started);
            Interlocked.Decrement(ref _open);
        }
    }
}
