using System.Buffers;
using System.Numerics;
using System.Security.Cryptography;
using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <content>Reading an object into memory ahead of time.</content>
internal sealed partial class ObjectReader
{
    private const int FirstBuffer = 32 * 1024;

    // The object, or its beginning while its size is being determined; and how much of the budget that takes.
    private byte[]? _buffer;
    private ByteBudget? _budget;
    private int _held;

    public bool IsPreloaded => _buffer is not null && Head.Size is not null;

    /// <summary>Reads an object that <see cref="IsPreloaded"/> again from its first byte.</summary>
    public void Rewind() => _delivered = 0;

    public byte[]? HashPreloaded() => IsPreloaded ? SHA256.HashData(_buffer.AsSpan(0, (int)_position)) : null;

    /// <summary>The preparation of an object that is opened ahead: determine its size, or read it into memory if it is small.</summary>
    public async Task PrepareAsync(ByteBudget budget, long smallObject)
    {
        if (Head.Size is null)
        {
            await TryLearnSizeAsync(budget);
        }
        else if (Head.Size <= smallObject)
        {
            await PreloadAsync(budget);
        }

        if (!IsPreloaded && _attempt is { } attempt)
        {
            attempt.PauseReading();
            if (attempt.IsLimited)
            {
                // Storage that serves few concurrent requests counts an open body as one of them, even if it is not read.
                await ReleaseAsync();
            }
        }
    }

    /// <summary>Reads an object of unknown size into memory to determine its size, as far as the budget permits.</summary>
    /// <returns>False if the budget is exhausted before the object's end; a further call continues.</returns>
    /// <exception cref="StorageException">Its end could not be distinguished from a broken connection.</exception>
    public async Task<bool> TryLearnSizeAsync(ByteBudget budget)
    {
        if (_attempt is { IsFramed: false })
        {
            throw new StorageException(
                FailureReason.LengthUnknown, "Storage does not state the length of the object and ends it by closing the connection.");
        }

        do
        {
            if (_position == (_buffer?.Length ?? 0) && !TryGrow(budget, (int)Math.Max(FirstBuffer, 2 * _position)))
            {
                return false;
            }
        }
        while (await ReadBodyAsync(_buffer.AsMemory((int)_position)) > 0);

        Head = Head with { Size = _position };
        Shrink();
        RequireChecksums();
        return true;
    }

    public async Task LearnSizeAsync(ByteBudget budget)
    {
        if (!await TryLearnSizeAsync(budget))
        {
            throw new StorageException(
                FailureReason.LengthUnknown,
                "Storage does not state the length of the object, and the object is too large to be read ahead to determine it. State its size in a manifest.");
        }
    }

    /// <summary>Reads the whole object into memory, if the budget permits, so that its connection is free early.</summary>
    private async Task PreloadAsync(ByteBudget budget)
    {
        if (TryGrow(budget, (int)Head.Size!.Value))
        {
            while (await ReadBodyAsync(_buffer.AsMemory((int)_position)) > 0)
            {
            }

            RequireChecksums();
        }
    }

    /// <exception cref="StorageException">The object in memory does not match what storage reported.</exception>
    private void RequireChecksums()
    {
        using var check = ChecksumVerifier.Create(null, Head.Checksums);
        check?.Append(_buffer.AsSpan(0, (int)_position));
        check?.Require();
    }

    private bool TryGrow(ByteBudget budget, int size)
    {
        var length = PooledLength(size);
        if (!budget.TryTake(length))
        {
            return false;
        }

        Move(budget, length);
        return true;
    }

    private void Shrink()
    {
        var length = PooledLength((int)_position);
        if (length < _held && _budget!.TryTake(length))
        {
            Move(_budget, length);
        }
    }

    private void Move(ByteBudget budget, int length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        _buffer.AsSpan(0, (int)_position).CopyTo(buffer);
        ReturnBuffer();
        (_buffer, _budget, _held) = (buffer, budget, length);
    }

    // The pool's sizes are powers of two.
    private static int PooledLength(int size) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(size, 16));

    private void ReturnBuffer()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            ArrayPool<byte>.Shared.Return(buffer);
            _budget!.Return(_held);
        }
    }
}
