using Gateway.Archiving.Resuming;
using Gateway.Plans;
using Gateway.Runs;
using Gateway.Storage;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Objects;

namespace Gateway.Streaming;

/// <summary>
/// Opens the next objects before they are needed, so that storage's latency passes while others are sent.
/// </summary>
/// <remarks>
/// <para>One caller. It owns every reader it has opened until <see cref="NextAsync"/> hands it out. Each opening runs as a task
/// that ends by itself: it opens one object and, if the object is small, reads it into memory and frees its connection.</para>
/// <para>Bound: <see cref="UpstreamOptions.Lookahead"/> objects at first. Each that was in memory when it was needed lets one more be
/// opened, up to <see cref="UpstreamOptions.MaxConcurrentOpens"/>, as TCP finds its window; one that is large brings the number
/// back to where it began. None is opened that begins more than the budget's bytes after what is being sent, and what is in
/// memory was taken from the budget before. Nothing is opened while the client takes nothing, because the window moves only with
/// what it takes.</para>
/// </remarks>
internal sealed class Prefetcher : IAsyncDisposable
{
    private readonly BundleRun _run;
    private readonly ObjectStore _store;
    private readonly IReadOnlyList<PlannedEntry> _entries;
    private readonly ResumePoint _start;
    private readonly long _from;
    private readonly PrefetchBudget _budget;
    private readonly CancellationTokenSource _stop;
    private readonly Queue<(Task<IObjectReader> Opening, long Size)> _ahead = new();
    private int _window;
    private int _next;
    private long _bytesAhead;

    /// <param name="run">Has the plan, the memory, and the objects that were opened early.</param>
    /// <param name="store">Opens the others.</param>
    /// <param name="start">The first object.</param>
    /// <param name="from">From where on the first is read.</param>
    /// <param name="cancellationToken">Ends everything.</param>
    public Prefetcher(BundleRun run, ObjectStore store, ResumePoint start, long from, CancellationToken cancellationToken)
    {
        (_run, _store, _start, _from) = (run, store, start, from);
        _entries = run.Plan!.Entries;
        _budget = run.Lease!.Prefetch!;
        _next = start.FirstBody;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _window = store.Options.Lookahead;
    }

    /// <summary>The next object in order, its size known; the caller owns it from then on, and the window moves up to it.</summary>
    /// <exception cref="StorageException">It could not be opened.</exception>
    public ValueTask<IObjectReader> NextAsync()
    {
        if (_ahead.Count == 0)
        {
            Open();
        }

        var (opening, size) = _ahead.Dequeue();
        _bytesAhead -= size;
        Fill(size);
        return opening is { IsCompletedSuccessfully: true, Result.Head.Size: not null } ? new(Arrived(opening.Result)) : new(WaitAsync(opening));
    }

    /// <summary>Opens what the window reaches.</summary>
    /// <param name="currentRest">Bytes of the current object that are still to come.</param>
    public void Fill(long currentRest)
    {
        while (_next < _entries.Count && _ahead.Count < _window && currentRest + _bytesAhead < _budget.Objects.Total)
        {
            Open();
        }
    }

    /// <summary>Closes the connections of objects that are not needed yet; those that are still being opened keep theirs.</summary>
    public async Task ReleaseAsync()
    {
        foreach (var (opening, _) in _ahead)
        {
            if (opening.IsCompletedSuccessfully)
            {
                await opening.Result.ReleaseAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var (opening, _) in _ahead)
        {
            // The failure of an object that was never needed concerns no one.
            await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (opening.IsCompletedSuccessfully)
            {
                await opening.Result.DisposeAsync();
            }
        }

        _ahead.Clear();
        _stop.Dispose();
    }

    private async Task<IObjectReader> WaitAsync(Task<IObjectReader> opening)
    {
        var reader = await opening;
        if (reader.Head.Size is null)
        {
            // Those that follow have taken the budget. It is needed now, so it may have what every bundle has for one.
            try
            {
                await reader.LearnSizeAsync(new ByteBudget(2 * _store.Options.SmallObject));
            }
            catch
            {
                await reader.DisposeAsync();
                throw;
            }
        }

        return Arrived(reader);
    }

    private IObjectReader Arrived(IObjectReader reader)
    {
        _window = reader.IsPreloaded ? Math.Min(_window + 1, _store.Options.MaxConcurrentOpens) : _store.Options.Lookahead;
        reader.StartRanges(_budget.Ranges);
        reader.ResumeReading();
        return reader;
    }

    private void Open()
    {
        var (index, entry) = (_next, _entries[_next++]);
        var size = entry.Head?.Size ?? 0;
        _ahead.Enqueue((index == _start.Entry && _from > 0 ? OpenRestAsync(entry) : OpenAsync(entry), size));
        _bytesAhead += size;
    }

    private async Task<IObjectReader> OpenRestAsync(PlannedEntry entry)
    {
        if (_run.Opened.Take(entry.Index) is { } opened)
        {
            await opened.DisposeAsync();
        }

        return await _store.OpenPartAsync(entry.Object, entry.Head!, new ByteRange(_from), _run.Record.Transfer, _stop.Token);
    }

    private Task<IObjectReader> OpenAsync(PlannedEntry entry)
    {
        if (_run.Opened.Take(entry.Index) is { } opened)
        {
            return Task.FromResult(opened);
        }

        // On another thread: making a request costs more than sending a small object on.
        return Task.Run(() => _store.OpenAsync(
            entry.Object, entry.Head, reader => reader.PrepareAsync(_budget.Objects, _store.Options.SmallObject), _run.Record.Transfer, _stop.Token));
    }
}
