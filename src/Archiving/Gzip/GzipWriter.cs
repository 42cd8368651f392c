using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.IO.Pipelines;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Layout;

namespace Gateway.Archiving.Gzip;

/// <summary>
/// One gzip member (RFC 1952) of blocks that were compressed each on its own.
/// </summary>
/// <remarks>
/// <para>The plain bytes are cut every <see cref="BlockEncoder.BlockSize"/> bytes, whatever the caller's writes and flushes
/// were, so equal input gives equal output. All blocks form one deflate stream: readers that stop after the first member of a
/// gzip file see everything.</para>
/// <para>With several workers, full blocks are encoded on the thread pool while the caller fills the next; a flush writes those
/// that are ready, in order, and waits for the oldest when as many are on their way as may be: one more after each flush that
/// did not wait, up to the number of workers; two again after one that did; one while the blocks of all archives crowd the pool.
/// The bytes are the same for every number. After a block that did not shrink the next ones are tried at once, on the caller's
/// thread: storing is cheaper than handing over. Such blocks are filled where they will be sent from, in the output's own memory
/// with room for their headers, as many at once as there is room for while they are filled quickly.</para>
/// <para>Memory: one plain block, rented when its first byte comes, and given back when it is encoded and the output makes us
/// wait; for each block on its way its plain bytes until it is encoded, and from then on the encoded ones. A caller who writes
/// without flushing is not held back, as with any pipe. A flush hands on what is whole blocks; the rest stays until its block is
/// full or the member finished.</para>
/// </remarks>
internal sealed partial class GzipWriter : FormatWriter
{
    // Blocks on their way while the output makes us wait: one being written, one encoded meanwhile.
    private const int FewAtOnce = 2;

    // Who fills what he was given within this time is given several blocks at once.
    private const int QuickMilliseconds = 50;

    // Plain bytes between two places from which a member can be continued.
    private const long CheckpointInterval = 4 << 20;

    // CRC32 and ISIZE.
    private const int TrailerLength = 8;

    private readonly BlockEncoder _encoder;
    private readonly int _workers;
    private readonly Queue<BlockJob> _jobs = new();
    private readonly Crc32 _crc = new();
    private readonly ArchiveCheckpoint _start;
    private readonly Action<ArchiveCheckpoint>? _reached;
    private long _lastCheckpoint;
    private long _length;
    private byte[]? _block;
    private Memory<byte> _inPlace;
    private int _blocksInPlace;
    private long _begun;
    private int _filled;
    private long _plainLength;
    private byte[]? _straddle;
    private bool _finished;
    private bool _unflushed;
    private bool _stores;
    private int _atOnce;

    // Magic, deflate, no flags, no time, no hint about the level, system unknown (RFC 1952, section 2.3).
    private static ReadOnlySpan<byte> Header => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];

    /// <summary>Begins a member.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="encoder">Encodes the blocks.</param>
    /// <param name="workers">Blocks encoded at a time, 1 or more; with 1 the caller's thread encodes.</param>
    /// <param name="start">Where to go on; the default begins a member.</param>
    /// <param name="reached">Is told, every few MiB and on the caller's thread, from where the member can be continued.</param>
    public GzipWriter(
        PipeWriter output, BlockEncoder encoder, int workers = 1, ArchiveCheckpoint start = default, Action<ArchiveCheckpoint>? reached = null)
        : base(output)
    {
        _start = start;
        _reached = reached;
        (_plainLength, _length, _lastCheckpoint) = (start.PlainOffset, start.Offset, start.PlainOffset);
        _encoder = encoder;
        _workers = workers;
        _atOnce = Math.Min(FewAtOnce, workers);
        _stores = encoder.Stores;

        if (start.Offset == 0)
        {
            Output.Write(Header);
            _length = Header.Length;
            _unflushed = true;
        }
    }

    /// <summary>The length of a member none of whose blocks is compressed.</summary>
    public static long StoredLength(long plainLength, int blockSize)
    {
        var (blocks, rest) = Math.DivRem(plainLength, blockSize);
        return checked(Header.Length + (blocks * StoredBlock.EncodedLength(blockSize)) + StoredBlock.EncodedLength((int)rest)
            + StoredBlock.Final.Length + TrailerLength);
    }

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

    /// <summary>Where the current block's bytes go.</summary>
    private Memory<byte> Plain => _block is not null
        ? _block.AsMemory(0, _encoder.BlockSize)
        : _inPlace.Slice(StoredBlock.HeaderLength, _blocksInPlace * _encoder.BlockSize);

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

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        // Between blocks, where we hold no plain bytes if the output makes us wait; unless the block takes long to fill.
        var atOnce = BlockJob.IsCrowded ? 1 : _atOnce;
        if (_jobs.TryPeek(out var oldest) && (_jobs.Count >= atOnce || (oldest.IsCompleted && (_filled == 0 || oldest.IsOverdue))))
        {
            return FlushJobsAsync(atOnce - 1, cancellationToken);
        }

        // A block in the output's memory must not be flushed under, and there is nothing before it to be flushed.
        if (!_unflushed || !_inPlace.IsEmpty)
        {
            return new(new FlushResult(isCanceled: false, isCompleted: false));
        }

        return FlushOutputAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        if (_filled > 0)
        {
            EndBlock();
        }

        _finished = true;
        if (_jobs.Count > 0)
        {
            var result = await FlushJobsAsync(0, cancellationToken);
            if (result.IsCompleted || result.IsCanceled)
            {
                return result;
            }
        }

        ReturnBlock();
        WriteTrailer();
        return await FinishOutputAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _finished = true;
        ReturnBlock();
        while (_jobs.TryDequeue(out var job))
        {
            job.GiveUp();
        }
    }

    /// <summary>Writes and flushes blocks in order: all that are ready, and more until no more than so many are on their way.</summary>
    private async ValueTask<FlushResult> FlushJobsAsync(int mostOnTheirWay, CancellationToken cancellationToken)
    {
        var result = default(FlushResult);
        while (_jobs.TryPeek(out var oldest) && (oldest.IsCompleted || _jobs.Count > mostOnTheirWay))
        {
            await oldest.EncodedAsync().WaitAsync(cancellationToken);
            _jobs.Dequeue();
            (var length, _stores) = oldest.Write(Output);
            Written(length, oldest.End);
            result = await FlushOutputAsync(cancellationToken);
            if (result.IsCompleted || result.IsCanceled)
            {
                break;
            }
        }

        return result;
    }

    private ValueTask<FlushResult> FlushOutputAsync(CancellationToken cancellationToken)
    {
        _unflushed = false;
        var flush = Output.FlushAsync(cancellationToken);
        if (flush.IsCompleted)
        {
            _atOnce = Math.Min(_atOnce + 1, _workers);
        }
        else
        {
            _atOnce = Math.Min(FewAtOnce, _workers);
            if (_filled == 0)
            {
                ReturnBlock();
            }
        }

        return flush;
    }

    private void WriteTrailer()
    {
        Output.Write(StoredBlock.Final);
        Span<byte> trailer = stackalloc byte[TrailerLength];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Here.Crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)_plainLength); // ISIZE is modulo 2^32
        Output.Write(trailer);
    }

    /// <summary>What is known of the place behind all plain bytes that were ended; the offset is not.</summary>
    private ArchiveCheckpoint Here
    {
        get
        {
            var crc = _crc.GetCurrentHashAsUInt32();
            return new ArchiveCheckpoint(
                _plainLength, 0, _start.PlainOffset == 0 ? crc : Crc32Combination.Combine(_start.Crc, crc, _plainLength - _start.PlainOffset));
        }
    }

    /// <summary>Blocks up to this place are in the output.</summary>
    private void Written(int length, ArchiveCheckpoint end)
    {
        _length += length;
        if (_reached is not null && end.PlainOffset - _lastCheckpoint >= CheckpointInterval && end.PlainOffset % _encoder.BlockSize == 0)
        {
            _lastCheckpoint = end.PlainOffset;
            _reached(end with { Offset = _length });
        }
    }

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
        if (_stores && _jobs.Count == 0)
        {
            var length = StoredBlock.EncodedLength(_encoder.BlockSize);
            _inPlace = Output.GetMemory(length);

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
        _crc.Append(plain);
        _plainLength += plain.Length;
        if (!_inPlace.IsEmpty)
        {
            EndInPlace(plain);
        }
        else if (_workers > 1 && !(_stores && _jobs.Count == 0))
        {
            _jobs.Enqueue(new BlockJob(_encoder, _block!, _filled, Here));
            _block = null;
        }
        else
        {
            var most = BlockEncoder.MaxEncodedLength(plain.Length);
            var length = _encoder.Encode(plain, Output.GetMemory(most));
            Output.Advance(length);
            Written(length, Here);
            _stores = length == most;
            _unflushed = true;
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
