using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.IO.Pipelines;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Gzip;

/// <summary>
/// One gzip member (RFC 1952) of blocks that were compressed each on its own.
/// </summary>
/// <remarks>
/// <para>The plain bytes are cut every <see cref="ArchiveRecipe.BlockSize"/> bytes, whatever the caller's writes and flushes
/// were, so equal input gives equal output. All blocks form one deflate stream: readers that stop after the first member of a
/// gzip file see everything.</para>
/// <para>Memory: one plain block, rented when its first byte comes and given back once it is encoded and the output makes us
/// wait. The encoder writes into the output's memory. A flush hands on what is whole blocks; the rest stays until its block is
/// full or the member is finished.</para>
/// </remarks>
internal sealed class GzipWriter : FormatWriter
{
    private readonly BlockEncoder _encoder;
    private readonly Crc32 _crc = new();
    private byte[]? _block;
    private int _filled;
    private long _plainLength;
    private byte[]? _straddle;
    private bool _finished;
    private bool _unflushed;

    public GzipWriter(PipeWriter output, BlockEncoder encoder)
        : base(output)
    {
        _encoder = encoder;

        // RFC 1952, section 2.3: magic, deflate, no flags, no time, no hint about the level, system unknown.
        Output.Write((ReadOnlySpan<byte>)[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]);
        _unflushed = true;
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        _block ??= ArrayPool<byte>.Shared.Rent(ArchiveRecipe.BlockSize);
        var room = _block.AsMemory(_filled, ArchiveRecipe.BlockSize - _filled);
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

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (!_unflushed)
        {
            return new(new FlushResult(isCanceled: false, isCompleted: false));
        }

        _unflushed = false;
        var flush = Output.FlushAsync(cancellationToken);
        if (!flush.IsCompleted && _filled == 0)
        {
            ReturnBlock();
        }

        return flush;
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        if (_filled > 0)
        {
            EncodeBlock();
        }

        _finished = true;
        Output.Write(StoredBlock.Final);
        Span<byte> trailer = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)_plainLength); // ISIZE is modulo 2^32
        Output.Write(trailer);
        ReturnBlock();
        return FinishOutputAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _finished = true;
        ReturnBlock();
    }

    private void Take(int bytes)
    {
        if (_block is null || bytes > ArchiveRecipe.BlockSize - _filled)
        {
            throw new InvalidOperationException("More was advanced than GetMemory gave.");
        }

        _filled += bytes;
        if (_filled == ArchiveRecipe.BlockSize)
        {
            EncodeBlock();
        }
    }

    private void EncodeBlock()
    {
        var plain = _block.AsSpan(0, _filled);
        _crc.Append(plain);
        _plainLength += plain.Length;
        Output.Advance(_encoder.Encode(plain, Output.GetMemory(BlockEncoder.MaxEncodedLength(plain.Length))));
        _filled = 0;
        _unflushed = true;
    }

    private void ReturnBlock()
    {
        if (_block is { } block)
        {
            _block = null;
            ArrayPool<byte>.Shared.Return(block);
        }
    }
}
