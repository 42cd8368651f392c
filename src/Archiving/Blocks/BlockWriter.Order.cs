using System.IO.Pipelines;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Blocks;

/// <content>Output in order: blocks as their workers finish, and between them what the format inserts.</content>
internal sealed partial class BlockWriter
{
    private readonly Queue<(BlockJob? Job, Func<PipeWriter, int>? Write)> _ordered = new();
    private int _jobs;

    /// <summary>Writes something other than a block, after all previous blocks. Allowed only between streams.</summary>
    /// <param name="plainLength">Its length in the uncompressed archive.</param>
    /// <param name="write">Called when all previous blocks are written; writes to the output and returns the number of bytes.</param>
    public void Then(int plainLength, Func<PipeWriter, int> write)
    {
        // Memory taken from the output for a block is still empty, because a stream has just ended.
        _inPlace = default;
        PlainOffset += plainLength;
        if (_ordered.Count > 0)
        {
            _ordered.Enqueue((null, write));
        }
        else
        {
            Written(write(_output), null);
        }
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        // Wait between blocks, when no uncompressed bytes are held, unless the next block fills slowly.
        var atOnce = BlockJob.IsCrowded ? 1 : _maxInFlight;
        if (_jobs >= atOnce || (_ordered.TryPeek(out var oldest) && IsReady(oldest.Job) && (_filled == 0 || oldest.Job is not { IsOverdue: false })))
        {
            return FlushOrderedAsync(atOnce - 1, cancellationToken);
        }

        // While a block is filled in the output's memory, the output must not be flushed; nothing before it is unflushed.
        if (!_unflushed || !_inPlace.IsEmpty)
        {
            return new(new FlushResult(isCanceled: false, isCompleted: false));
        }

        return FlushOutputAsync(cancellationToken);
    }

    /// <summary>Writes everything that is still in progress, and accepts nothing more.</summary>
    public async ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        _finished = true;
        var result = _ordered.Count > 0 ? await FlushOrderedAsync(0, cancellationToken) : default;
        ReturnBlock();
        return result;
    }

    private static bool IsReady(BlockJob? job) => job is null or { IsCompleted: true };

    /// <summary>Writes and flushes in order: everything that is ready, then more until at most that many blocks are in progress.</summary>
    private async ValueTask<FlushResult> FlushOrderedAsync(int maxInFlight, CancellationToken cancellationToken)
    {
        var result = default(FlushResult);
        while (_ordered.TryPeek(out var oldest) && (IsReady(oldest.Job) || _jobs > maxInFlight))
        {
            if (oldest.Job is { } job)
            {
                await job.EncodedAsync().WaitAsync(cancellationToken);
                _ordered.Dequeue();
                _jobs--;
                (var length, _stores) = job.Write(_output);
                Written(length, job.End);
            }
            else
            {
                _ordered.Dequeue();
                Written(oldest.Write!(_output), null);
            }

            // Do not flush a record of the format alone.
            if (_ordered.TryPeek(out var next) && next.Job is null)
            {
                continue;
            }

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
        var flush = _output.FlushAsync(cancellationToken);
        if (flush.IsCompleted)
        {
            _maxInFlight = Math.Min(_maxInFlight + 1, _workers);
        }
        else
        {
            _maxInFlight = Math.Min(InitialInFlight, _workers);
            if (_filled == 0)
            {
                ReturnBlock();
            }
        }

        return flush;
    }

    /// <summary>Counts what was written to the output and records its checkpoint.</summary>
    private void Written(int length, Checkpoint? end)
    {
        _unflushed = true;
        Offset += length;
        if (end is { } checkpoint)
        {
            _checkpoints!.Reach(checkpoint with { Offset = Offset });
        }
    }
}
