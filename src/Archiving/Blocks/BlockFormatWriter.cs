using System.IO.Pipelines;

namespace Gateway.Archiving.Blocks;

/// <summary>A format that is a single stream of blocks. It adds only what surrounds them.</summary>
internal abstract class BlockFormatWriter(PipeWriter output, BlockWriter blocks) : FormatWriter(output)
{
    /// <inheritdoc/>
    public sealed override Memory<byte> GetMemory(int sizeHint = 0) => blocks.GetMemory(sizeHint);

    /// <inheritdoc/>
    public sealed override Span<byte> GetSpan(int sizeHint = 0) => blocks.GetSpan(sizeHint);

    /// <inheritdoc/>
    public sealed override void Advance(int bytes) => blocks.Advance(bytes);

    /// <inheritdoc/>
    public sealed override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => blocks.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public sealed override async ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken = default)
    {
        var crc = blocks.EndStream();
        var result = await blocks.FinishAsync(cancellationToken);
        if (result.IsCompleted || result.IsCanceled)
        {
            return result;
        }

        WriteEnd(crc, blocks.PlainOffset);
        return await FinishOutputAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public sealed override void Complete(Exception? exception = null) => blocks.Complete(exception);

    /// <summary>Writes what follows the last block.</summary>
    /// <param name="crc">CRC-32 of all uncompressed bytes.</param>
    /// <param name="plainLength">Their number.</param>
    protected abstract void WriteEnd(uint crc, long plainLength);
}
