using System.Buffers;
using System.IO.Pipelines;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Sources;

namespace Gateway.Storage.Objects;

/// <summary>
/// Reads the later part of a large object with several parallel requests, for storage that limits the rate of a stream. The caller
/// gets the bytes in order.
/// </summary>
/// <remarks>
/// Not thread-safe. Every range has a separate task that writes into a separate pipe and owns its connection. This class
/// owns the pipes of all current ranges. Memory: as many ranges as run in parallel,
/// taken from the budget before the first request and returned at the end. Each range is opened, repaired and pinned to
/// the object's version like any other read.
/// </remarks>
internal sealed class ParallelRanges : IAsyncDisposable
{
    private const int PieceSize = 64 * 1024;

    private readonly ObjectStore _store;
    private readonly ObjectRequest _request;
    private readonly ObjectHead _head;
    private readonly TransferCounters _counters;
    private readonly ByteBudget _budget;
    private readonly CancellationTokenSource _stop;
    private readonly Queue<(PipeReader Bytes, Task Filling)> _ranges = new();
    private readonly int _atOnce;
    private long _next;

    private ParallelRanges(
        ObjectStore store, ObjectRequest request, ObjectHead head, int atOnce, TransferCounters counters, ByteBudget budget, CancellationToken cancellationToken)
    {
        _store = store;
        _request = request;
        _head = head;
        _atOnce = atOnce;
        _counters = counters;
        _budget = budget;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _next = From;
        Fill();
    }

    /// <summary>The first byte that is read here; the bytes before it come from the stream that was opened first.</summary>
    public long From => _store.Options.RangeBytes;

    /// <summary>Starts if the source is configured so, the object is large with a strong ETag, and the budget allows at least two ranges.</summary>
    public static ParallelRanges? TryStart(ObjectStore store, ObjectPart whole, TransferCounters counters, ByteBudget budget, CancellationToken cancellationToken)
    {
        var (request, head, _) = whole;
        var size = store.Options.RangeBytes;
        var wanted = (int)Math.Min(request.Source.ParallelRanges, ((head.Size ?? 0) - 1) / size);
        if (wanted < 2 || head.ETag is null)
        {
            return null;
        }

        var granted = 0;
        while (granted < wanted && budget.TryTake(size))
        {
            granted++;
        }

        if (granted >= 2)
        {
            return new ParallelRanges(store, request, head, granted, counters, budget, cancellationToken);
        }

        budget.Return((long)granted * size);
        return null;
    }

    /// <summary>Reads at least one byte; 0 at the object's end.</summary>
    /// <exception cref="StorageException">The remainder cannot be read. <see cref="FailureReason.RangesNotServed"/> before the first byte means that
    /// storage does not serve ranges.</exception>
    public async Task<int> ReadAsync(Memory<byte> buffer)
    {
        while (_ranges.TryPeek(out var range))
        {
            var read = await range.Bytes.ReadAsync(CancellationToken.None);
            if (!read.Buffer.IsEmpty)
            {
                var count = (int)Math.Min(read.Buffer.Length, buffer.Length);
                var piece = read.Buffer.Slice(0, count);
                piece.CopyTo(buffer.Span);
                range.Bytes.AdvanceTo(piece.End);
                return count;
            }

            await range.Bytes.CompleteAsync();
            await range.Filling;
            _ranges.Dequeue();
            Fill();
        }

        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var (bytes, filling) in _ranges)
        {
            await filling;
            await bytes.CompleteAsync();
        }

        _stop.Dispose();
        _budget.Return((long)_atOnce * _store.Options.RangeBytes);
    }

    private void Fill()
    {
        while (_ranges.Count < _atOnce && _next < _head.Size)
        {
            var range = new ByteRange(_next, Math.Min(_next + _store.Options.RangeBytes, _head.Size.Value));

            // Never paused: there is memory for a whole range.
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: PieceSize, useSynchronizationContext: false));
            _ranges.Enqueue((pipe.Reader, Task.Run(() => FillAsync(pipe.Writer, range))));
            _next = range.End!.Value;
        }
    }

    /// <summary>Reads one range to its end. The reader of the pipe gets any failure.</summary>
    private async Task FillAsync(PipeWriter writer, ByteRange range)
    {
        Exception? failure = null;
        try
        {
            await using var part = await _store.OpenPartAsync(_request, _head, range, _counters, _stop.Token);
            while (await part.ReadAsync(writer.GetMemory(PieceSize)) is > 0 and var count)
            {
                writer.Advance(count);
                await writer.FlushAsync(CancellationToken.None);
            }
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        await writer.CompleteAsync(failure);
    }
}
