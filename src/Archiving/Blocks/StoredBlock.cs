namespace Gateway.Archiving.Blocks;

/// <summary>
/// How bytes that do not shrink are stored unchanged. Every form can be put around bytes that are already in position, so
/// that a socket can read directly into the memory that the archive is sent from.
/// </summary>
internal abstract class StoredBlock
{
    /// <summary>Space reserved before the first byte of a block.</summary>
    public abstract int HeaderLength { get; }

    /// <summary>The length of a single stored block.</summary>
    public abstract int EncodedLength(int plainLength);

    /// <summary>The length of these bytes stored as blocks of one size and a remainder.</summary>
    public long EncodedLength(long plainLength, int blockSize)
    {
        var (blocks, rest) = Math.DivRem(plainLength, blockSize);
        return checked((blocks * EncodedLength(blockSize)) + EncodedLength((int)rest));
    }

    /// <summary>Stores a block; an empty one is written as nothing.</summary>
    /// <returns>The number of bytes written.</returns>
    public int Write(ReadOnlySpan<byte> plain, Span<byte> output)
    {
        if (plain.IsEmpty)
        {
            return 0;
        }

        plain.CopyTo(output[HeaderLength..]);
        return WriteInPlace(output, plain.Length);
    }

    /// <summary>Stores bytes that are already in <paramref name="output"/>, after the space for one header.</summary>
    /// <param name="output">Has room for the whole result.</param>
    /// <param name="plainLength">The number of bytes.</param>
    /// <param name="blockSize">The block size; the result equals storing the blocks one at a time.</param>
    /// <returns>The number of bytes written.</returns>
    public int WriteInPlace(Span<byte> output, int plainLength, int blockSize)
    {
        // The last block first: each moves by the headers and trailers before it.
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

    /// <summary>Puts the form around one block, which follows the space for its header.</summary>
    /// <returns>The stored length.</returns>
    protected abstract int WriteInPlace(Span<byte> output, int plainLength);
}
