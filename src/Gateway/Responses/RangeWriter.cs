using System.Buffers;
using System.IO.Pipelines;

namespace Gateway.Responses;

/// <summary>Passes one range of an archive to the client; what is generated before it is discarded.</summary>
/// <remarks>Until the range begins nothing reaches the client, not even a flush, so that a failure can still be reported. It
/// owns one pooled buffer while it discards.</remarks>
/// <param name="client">The destination of the range.</param>
/// <param name="position">Offset in the archive of the first byte that is written here.</param>
/// <param name="from">The range's first byte.</param>
/// <param name="end">The offset after its last byte; null for the archive's end.</param>
internal sealed class RangeWriter(PipeWriter client, long position, long from, long? end) : PipeWriter
{
    private const int ScratchSize = 64 * 1024;

    private byte[]? _scratch;
    private bool _drops;

    /// <summary>Offset of the next byte in the archive.</summary>
    public long Position { get; private set; } = position;

    /// <summary>Whether the whole range has been written.</summary>
    public bool IsDone => Position >= end;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        _drops = Position < from || IsDone;
        if (!_drops)
        {
            return client.GetMemory(sizeHint);
        }

        if (_scratch is null || _scratch.Length < sizeHint)
        {
            ReturnScratch();
            _scratch = ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, ScratchSize));
        }

        return _scratch;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        var before = Position;
        Position += bytes;
        var first = Math.Max(before, from);
        var last = Math.Min(Position, end ?? long.MaxValue);
        if (last <= first)
        {
            return;
        }

        if (_drops)
        {
            client.Write(_scratch.AsSpan((int)(first - before), (int)(last - first)));
        }
        else
        {
            client.Advance((int)(last - first));
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Position > from ? client.FlushAsync(cancellationToken) : default;
    }

    public override void CancelPendingFlush() => client.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => ReturnScratch();

    private void ReturnScratch()
    {
        if (_scratch is { } scratch)
        {
            _scratch = null;
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }
}
