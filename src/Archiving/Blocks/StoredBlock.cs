namespace Gateway.Archiving.Blocks;

/// <summary>
/// How bytes that do not shrink are kept as they are. Every form can be put around bytes that stand in their place already, so
/// that a socket read can land where the archive is sent from.
/// </summary>
internal abstract class StoredBlock
{
    /// <summary>Room that is left in front of the first byte of a block.</summary>
    public abstract int HeaderLength { get; }

    /// <summary>What so many bytes take as one block.</summary>
    public abstract int EncodedLength(int plainLength);

    /// <summary>What so many bytes take as blocks of one size and a rest.</summary>
    public long EncodedLength(long plainLength, int blockSize)
    {
        var (blocks, rest) = Math.DivRem(plainLength, blockSize);
        return checked((blocks * EncodedLength(blockSize)) + EncodedLength((int)rest));
    }

    /// <summary>Stores a block; an empty one takes nothing.</summary>
    /// <returns>The bytes written.</returns>
    public int Write(ReadOnlySpan<byte> plain, Span<byte> output)
    {
        if (plain.IsEmpty)
        {
            return 0;
        }

        plain.CopyTo(output[HeaderLength..]);
        return WriteInPlace(output, plain.Length);
    }

    /// <summary>Stores plain bytes that stand in <paramref name="output"/> behind room for one header already.</summary>
    /// <param name="output">Has room for all of it.</param>
    /// <param name="plainLength">The bytes.</param>
    /// <param name="blockSize">They are stored as blocks of so many each, as if they had come one by one.</param>
    /// <returns>The bytes written.</returns>
    public int WriteInPlace(Span<byte> output, int plainLength, int blockSize)
    {
        // The last one first: each moves on by what is put around those before it.
        var last = (plainLength - 1) / blockSize;
        for (var block = last; block >= 0; block--)
        {
            var length = Math.Min(plainLength - (block * blockSize), blockSize);
            var target = output[(block * EncodedLength(blockSize))..];
            if (block > 0)
            {
                output.Slice(HeaderLength + (block * blockSize), length).CopyTo(target[HeaderLength..]);
            }

            WriteInPlace(target, length);
        }

        return (last * EncodedLength(blockSize)) + EncodedLength(plainLength - (last * blockSize));
    }

    /// <summary>Puts the form around one block that stands behind room for its header.</summary>
    /// <returns>The bytes that it takes then.</returns>
    protected abstract int WriteInPlace(Span<byte> output, int plainLength);
}
