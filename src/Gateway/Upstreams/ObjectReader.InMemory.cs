using System.Buffers;
using Gateway.Telemetry;

namespace Gateway.Upstreams;

/// <content>Taking an object into memory before it is its turn.</content>
internal sealed partial class ObjectReader
{
    private const int FirstLearnedBuffer = 32 * 1024;

    /// <summary>Takes the whole object into memory, so that its connection is free before it is its turn.</summary>
    public async Task PreloadAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(Head.Size!.Value, 1));
        try
        {
            while (await ReadBodyAsync(buffer.AsMemory((int)_position, (int)(Head.Size.Value - _position))) > 0)
            {
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }

        _buffer = buffer;
    }

    /// <summary>Takes an object whose size nobody knows into memory, as far as the budget goes, to learn its size.</summary>
    /// <exception cref="UpstreamException">It is larger than the budget, or its end would not be told from a broken connection.</exception>
    public async Task LearnSizeAsync(ByteBudget budget)
    {
        if (_attempt is { IsFramed: false })
        {
            throw new UpstreamException(
                Stage.Size, "storage gives no length and ends the object by closing the connection", StatusCodes.Status502BadGateway);
        }

        byte[] buffer = [];
        var taken = 0;
        try
        {
            while (true)
            {
                if (_position == taken)
                {
                    var more = budget.TakeUpTo((int)Math.Max(FirstLearnedBuffer, _position));
                    taken += more;
                    buffer = more > 0 ? Grow(buffer, taken) : await RequireEndAsync(buffer);
                }

                if (_position == taken || await ReadBodyAsync(buffer.AsMemory((int)_position, taken - (int)_position)) == 0)
                {
                    break;
                }
            }

            budget.Return(taken - _position);
            _buffer = Grow(buffer, (int)_position);
            Head = Head with { Size = _position };
        }
        catch
        {
            budget.Return(taken);
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <summary>The bytes that have come, in a buffer of another size.</summary>
    private byte[] Grow(byte[] buffer, int size)
    {
        var grown = ArrayPool<byte>.Shared.Rent(size);
        buffer.AsSpan(0, (int)_position).CopyTo(grown);
        ArrayPool<byte>.Shared.Return(buffer);
        return grown;
    }

    /// <summary>The budget is used up: the object must be, too.</summary>
    private async Task<byte[]> RequireEndAsync(byte[] buffer)
    {
        if (await ReadBodyAsync(new byte[1]) == 0)
        {
            return buffer;
        }

        throw new UpstreamException(
            Stage.Size,
            "storage gives no length, and the object is too large to be read ahead to learn it; name its size in a manifest",
            StatusCodes.Status502BadGateway);
    }
}
