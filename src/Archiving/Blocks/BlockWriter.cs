using System.IO.Hashing;
using System.IO.Pipelines;
using Gateway.Archiving.Deflate;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// Encodes independent blocks in order; all compressed formats share it. Uncompressed bytes enter through the
/// pipe. What a format inserts between blocks goes through <see cref="Then"/> and keeps its position.
/// </summary>
/// <remarks>
/// <para>A stream's bytes are cut every <see cref="BlockEncoder.BlockSize"/> bytes, regardless of the caller's writes and
/// flushes, so equal input gives equal output. A format has one stream, or one for each entry if entries are compressed
/// separately; <see cref="EndStream"/> ends one and begins the next.</para>
/// <para>With several workers, full blocks are encoded on the thread pool while the caller fills the next one. A flush writes the
/// finished blocks in order, and waits for the oldest if the maximum number of blocks is in progress. That maximum rises by one after
/// each flush that did not wait, up to the number of workers. It returns to two after one that did, and is one while the pool is
/// crowded with blocks of all archives. The bytes do not depend on the number of workers. After a block that did not shrink, the
/// next ones are tried on the caller's thread, because storing is cheaper than a hand-off. Such blocks are filled directly in the
/// output's memory, with room for their headers; several at once if they fit and are filled quickly.</para>
/// <para>Memory: one uncompressed block, rented at its first byte and returned when it is encoded and the output is not ready.
/// Each block in progress holds its uncompressed bytes until it is encoded, then only the encoded ones. A caller that writes
/// without flushing gets no backpressure, as with any pipe. A flush passes on whole blocks; the remainder stays until its block is
/// full or its stream ends.</para>
/// </remarks>
internal sealed partial class BlockWriter : PipeWriter
{
    // Blocks in progress while the output is not ready: one being written, one being encoded.
    private const int InitialInFlight = 2;

    // A caller that fills its memory within this time is given several blocks at once.
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(50);

    private readonly PipeWriter _output;
    private readonly BlockEncoder _encoder;
    private readonly int _workers;
    private readonly Crc32 _crc = new();

    // The stream's CRC before the bytes in _crc, and the number of bytes in _crc.
    private uint _crcBefore;
    private long _crcLength;

    private byte[]? _block;
    private Memory<byte> _inPlace;
    private int _blocksInPlace;
    private long _begun;
    private int _filled;
    private byte[]? _straddle;
    private bool _finished;
    private bool _unflushed;
    private bool _stores;
    private int _maxInFlight;

    /// <summary>Begins or resumes an archive.</summary>
    /// <param name="output">The destination of the blocks; flushed, never completed.</param>
    /// <param name="encoder">Encodes them.</param>
    /// <param name="workers">Blocks encoded in parallel, 1 or more; with 1 the caller's thread encodes.</param>
    /// <param name="start">Where to resume; the default begins an archive.</param>
    /// <param name="checkpoints">Receives, every few MiB and on the caller's thread, the places at which the archive can be resumed.</param>
    public BlockWriter(PipeWriter output, BlockEncoder encoder, int workers, in ResumePoint start, CheckpointIndex? checkpoints)
    {
        _output = output;
        _encoder = encoder;
        _workers = encoder.Stores ? 1 : workers;
        _maxInFlight = Math.Min(InitialInFlight, _workers);
        _stores = encoder.Stores;
        Offset = start.Place.Offset;
        PlainOffset = start.Place.PlainOffset - start.CheckLength;
        _crcBefore = start.Place.Crc;
        (_checkLength, _checkCrc) = (start.CheckLength, start.Place.BlockCrc);
        _checkpoints = checkpoints;
        _lastCheckpoint = start.Place.PlainOffset;
    }

    /// <summary>Bytes of the archive up to the last one that was written to the output.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes of the uncompressed archive up to the last block that was ended.</summary>
    public long PlainOffset { get; private set; }

    /// <summary>Memory for the current block's bytes.</summary>
    private Memory<byte> Plain =>
        _block is null ? _inPlace.Slice(_encoder.Stored.HeaderLength, _blocksInPlace * _encoder.BlockSize)
        : _block.AsMemory(0, _checkLength > 0 ? _checkLength : _encoder.BlockSize);

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        if (_block is null && _inPlace.IsEmpty)
        {
            Begin();
        }

        var room = Plain[_filled..];
        if (sizeHint <= room.Length)
        {
            _straddle = null;
            return room;
        }

        // A caller that requires more than the block has left writes to a separate buffer, which is copied across the cut.
        if (_straddle is null || _straddle.Length < sizeHint)
        {
            _straddle = new byte[sizeHint];
        }

        return _straddle;
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (_straddle is { } straddle)
        {
            _straddle = null;
            for (var rest = straddle.AsSpan(0, bytes); !rest.IsEmpty;)
            {
                var room = GetSpan();
                var length = Math.Min(room.Length, rest.Length);
                rest[..length].CopyTo(room);
                Take(length);
                rest = rest[length..];
            }

            return;
        }

        if (bytes > 0)
        {
            Take(bytes);
        }
    }

    /// <summary>Ends the stream's last block; the next byte begins another stream.</summary>
    /// <returns>The CRC-32 of the stream's uncompressed bytes.</returns>
    public uint EndStream()
    {
        if (_filled > 0)
        {
            EndBlock();
        }

        var crc = Crc;
        _crc.Reset();
        (_crcBefore, _crcLength) = (0, 0);
        return crc;
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush() => _output.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _finished = true;
        ReturnBlock();
        while (_ordered.TryDequeue(out var ordered))
        {
            ordered.Job?.Abandon();
        }
    }

    // Uncompressed bytes of the stream in ended blocks.
    private uint Crc => _crcLength == 0 ? _crcBefore : Crc32Combination.Combine(_crcBefore, _crc.GetCurrentHashAsUInt32(), _crcLength);

    private void Take(int bytes)
    {
        if ((_block is null && _inPlace.IsEmpty) || bytes > Plain.Length - _filled)
        {
            throw new InvalidOperationException("Advance exceeds the memory that GetMemory returned.");
        }

        _filled += bytes;
        if (_filled == Plain.Length)
        {
            EndBlock();
        }
    }

    /// <summary>Chooses the memory for the next block.</summary>
    private void Begin()
    {
        if (_stores && _ordered.Count == 0 && _checkLength == 0)
        {
            var length = _encoder.MaxLength(_encoder.BlockSize);
            _inPlace = _output.GetMemory(length);

            // As many blocks as fit, so that a single read can fill several; but nothing is sent until all are full.
            _blocksInPlace = TimeProvider.System.GetElapsedTime(_begun) < Quick ? _inPlace.Length / length : 1;
            _begun = TimeProvider.System.GetTimestamp();
        }
        else
        {
            _block = _encoder.Blocks.Rent();
        }
    }

    private void EndBlock()
    {
        var plain = Plain.Span[.._filled];
        if (_checkLength > 0)
        {
            Check(plain);
            return;
        }

        _crc.Append(plain);
        _crcLength += plain.Length;
        PlainOffset += plain.Length;
        if (!_inPlace.IsEmpty)
        {
            EndInPlace(plain);
        }
        else if (_workers > 1 && !(_stores && _ordered.Count == 0))
        {
            _ordered.Enqueue((new BlockJob(_encoder, _block!, _filled, Due()), null));
            _jobs++;
            _block = null;
        }
        else
        {
            var memory = _output.GetMemory(_encoder.MaxLength(plain.Length));
            var length = _encoder.Encode(plain, memory);
            var end = Due() is { } due ? due.Behind(memory.Span[..length]) : default(Checkpoint?);
            _output.Advance(length);
            Written(length, end);
            _stores = length == _encoder.Stored.EncodedLength(plain.Length);
        }

        _filled = 0;
    }

    private void ReturnBlock()
    {
        _inPlace = default;
        if (_block is { } block)
        {
            _block = null;
            _encoder.Blocks.Return(block);
        }
    }
}
