using System.IO.Pipelines;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Blocks;

/// <content>What comes out, in order: blocks as their workers are ready, and between them what the format puts there.</content>
internal sealed partial class BlockWriter
{
    private readonly Queue<(BlockJob? Job, Func<PipeWriter, int>? Write)> _ordered = new();
    private int _jobs;

    /// <summary>Writes something that is no block, behind all blocks before it. It belongs between streams.</summary>
    /// <param name="plainLength">What it counts as in the plain archive.</param>
    /// <param name="write">Writes to the output, when its turn has come, and returns how many bytes.</param>
    public void Then(int plainLength, Func<PipeWriter, int> write)
    {
        // Whatever was taken of the output's memory for a block is empty: a stream has just ended.
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
        // Between blocks, where we hold no plain bytes if the output makes us wait; unless the block takes long to fill.
        var atOnce = BlockJob.IsCrowded ? 1 : _atOnce;
        if (_jobs >= atOnce || (_ordered.TryPeek(out var oldest) && IsReady(oldest.Job) && (_filled == 0 || oldest.Job is not { IsOverdue: false })))
        {
            return FlushOrderedAsync(atOnce - 1, cancellationToken);
        }

        // A block in the output's memory must not be flushed under, and there is nothing before it to be flushed.
        if (!_unflushed || !_inPlace.IsEmpty)
        {
            return new(new FlushResult(isCanceled: false, isCompleted: false));
        }

        return FlushOutputAsync(cancellationToken);
    }

    /// <summary>Writes everything that is still on its way, and takes nothing more.</summary>
    public async ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        _finished = true;
        var result = _ordered.Count > 0 ? await FlushOrderedAsync(0, cancellationToken) : default;
        ReturnBlock();
        return result;
    }

    private static bool IsReady(BlockJob? job) => job is null or { IsCompleted: true };

    /// <summary>Writes and flushes in order: all that is ready, and more until no more than so many are on their way.</summary>
    private async ValueTask<FlushResult> FlushOrderedAsync(int mostOnTheirWay, CancellationToken cancellationToken)
    {
        var result = default(FlushResult);
        while (_ordered.TryPeek(out var oldest) && (IsReady(oldest.Job) || _jobs > mostOnTheirWay))
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

            // What is no block does not go alone.
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
            _atOnce = Math.Min(_atOnce + 1, _workers);
        }
        else
        {
            _atOnce = Math.Min(FewAtOnce, _workers);
            if (_filled == 0)
            {
                ReturnBlock();
            }
        }

        return flush;
    }

    /// <summary>Blocks up to this place are in the output.</summary>
    private void Written(int length, Checkpoint? end)
    {
        _unflushed = true;
        Offset += length;
        if (end is { } checkpoint)
        {
            _trail!.Reach(checkpoint with { Offset = Offset });
        }
    }
}
