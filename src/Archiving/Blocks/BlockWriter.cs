using System.IO.Hashing;
using System.IO.Pipelines;
using Gateway.Archiving.Deflate;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// Blocks that are encoded each on its own, in order: what all compressed formats have in common. Plain bytes go in through the
/// pipe; what a format puts between its blocks goes through <see cref="Then"/>, and comes out in its turn.
/// </summary>
/// <remarks>
/// <para>The plain bytes of a stream are cut every <see cref="BlockEncoder.BlockSize"/> bytes, whatever the caller's writes and
/// flushes were, so equal input gives equal output. A format has one stream or, where each entry is compressed for itself, one
/// for each entry; <see cref="EndStream"/> ends one and begins the next.</para>
/// <para>With several workers, full blocks are encoded on the thread pool while the caller fills the next; a flush writes those
/// that are ready, in order, and waits for the oldest when as many are on their way as may be: one more after each flush that
/// did not wait, up to the number of workers; two again after one that did; one while the blocks of all archives crowd the pool.
/// The bytes are the same for every number. After a block that did not shrink the next ones are tried at once, on the caller's
/// thread: storing is cheaper than handing over. Such blocks are filled where they will be sent from, in the output's own memory
/// with room for their headers, as many at once as there is room for while they are filled quickly.</para>
/// <para>Memory: one plain block, rented when its first byte comes, and given back when it is encoded and the output makes us
/// wait; for each block on its way its plain bytes until it is encoded, and from then on the encoded ones. A caller who writes
/// without flushing is not held back, as with any pipe. A flush hands on what is whole blocks; the rest stays until its block is
/// full or its stream ended.</para>
/// </remarks>
internal sealed partial class BlockWriter : PipeWriter
{
    // Blocks on their way while the output makes us wait: one being written, one encoded meanwhile.
    private const int FewAtOnce = 2;

    // Who fills what he was given within this time is given several blocks at once.
    private const int QuickMilliseconds = 50;

    private readonly PipeWriter _output;
    private readonly BlockEncoder _encoder;
    private readonly int _workers;
    private readonly Crc32 _crc = new();

    // The stream's CRC before what _crc has seen, and how much that is.
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
    private int _atOnce;

    /// <summary>Begins, or goes on.</summary>
    /// <param name="output">Where the blocks go; flushed, never completed.</param>
    /// <param name="encoder">Encodes them.</param>
    /// <param name="workers">Blocks encoded at a time, 1 or more; with 1 the caller's thread encodes.</param>
    /// <param name="start">Where to go on; the default begins an archive.</param>
    /// <param name="trail">Learns, every few MiB and on the caller's thread, from where the archive can be continued.</param>
    public BlockWriter(PipeWriter output, BlockEncoder encoder, int workers, in ResumePoint start, CheckpointIndex? trail)
    {
        _output = output;
        _encoder = encoder;
        _workers = encoder.Stores ? 1 : workers;
        _atOnce = Math.Min(FewAtOnce, _workers);
        _stores = encoder.Stores;
        Offset = start.Place.Offset;
        PlainOffset = start.Place.PlainOffset - start.CheckLength;
        _crcBefore = start.Place.Crc;
        (_checkLength, _checkCrc) = (start.CheckLength, start.Place.BlockCrc);
        _trail = trail;
        _lastCheckpoint = start.Place.PlainOffset;
    }

    /// <summary>Bytes of the archive up to the last one that was written to the output.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes of the plain archive up to the last block that was ended.</summary>
    public long PlainOffset { get; private set; }

    /// <summary>Where the current block's bytes go.</summary>
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

        // A caller that insists on more than the block has left writes beside it and is copied across the cut.
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

    /// <summary>Ends the stream's last block; the next plain byte begins another stream.</summary>
    /// <returns>The CRC-32 of the stream's plain bytes.</returns>
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
            ordered.Job?.GiveUp();
        }
    }

    // Of the stream's plain bytes that were ended.
    private uint Crc => _crcLength == 0 ? _crcBefore : Crc32Combination.Combine(_crcBefore, _crc.GetCurrentHashAsUInt32(), _crcLength);

    private void Take(int bytes)
    {
        if ((_block is null && _inPlace.IsEmpty) || bytes > Plain.Length - _filled)
        {
            throw new InvalidOperationException("More was advanced than GetMemory gave.");
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

            // As many as there is room for, so that one read may fill several; but nothing leaves before all are full.
            var now = Environment.TickCount64;
            _blocksInPlace = now - _begun < QuickMilliseconds ? _inPlace.Length / length : 1;
            _begun = now;
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
