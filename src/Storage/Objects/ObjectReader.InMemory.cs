using System.Buffers;
using System.Numerics;
using System.Security.Cryptography;
using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <content>Taking an object into memory before it is its turn.</content>
internal sealed partial class ObjectReader
{
    private const int FirstBuffer = 32 * 1024;

    // The object, or while its size is being learned its beginning; and what of the budget that takes.
    private byte[]? _buffer;
    private ByteBudget? _budget;
    private int _held;

    public bool IsPreloaded => _buffer is not null && Head.Size is not null;

    /// <summary>An object that <see cref="IsPreloaded"/> is read again from its first byte.</summary>
    public void Rewind() => _delivered = 0;

    public byte[]? HashPreloaded() => IsPreloaded ? SHA256.HashData(_buffer.AsSpan(0, (int)_position)) : null;

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
            attempt.Pause();
            if (attempt.IsLimited)
            {
                // Storage that serves few requests at a time counts a body that nobody reads as one of them.
                await ReleaseAsync();
            }
        }
    }

    /// <summary>Takes an object whose size nobody knows into memory to learn its size, as far as the budget goes.</summary>
    /// <returns>False when the budget is used up before the object; a further call goes on.</returns>
    /// <exception cref="StorageException">Its end would not be told from a broken connection.</exception>
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
                "Storage does not state the length of the object, and the object is too large to be read ahead to learn it. Send its size in a manifest.");
        }
    }

    /// <summary>Takes the whole object into memory, if the budget allows it, so that its connection is free before it is its turn.</summary>
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

    /// <exception cref="StorageException">The object in memory is not what storage says it is.</exception>
    private void RequireChecksums()
    {
        using var check = ChecksumVerifier.Create(null, Head.Checksums, isHashed: false);
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
