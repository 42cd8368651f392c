using Gateway.Archiving.Layout;
using Gateway.Failures;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>
/// Opens the next objects before it is their turn, so that storage's latency passes while others are sent.
/// </summary>
/// <remarks>
/// <para>One caller. It owns every reader it has opened until <see cref="NextAsync"/> hands it out. Each opening runs as a task
/// that ends by itself: it opens one object and, if the object is small, takes it into memory and frees its connection.</para>
/// <para>Bound: <see cref="UpstreamOptions.Lookahead"/> objects at first. Each that comes and was in memory lets one more be
/// opened, up to <see cref="UpstreamOptions.LookaheadSmall"/>, as TCP finds its window; one that is large brings the number
/// back to where it began. None is opened that begins more than the budget's bytes behind what is being sent, and what is in
/// memory was taken from the budget before. Nothing is opened while the client stands still, because the window moves only with
/// what it takes.</para>
/// </remarks>
internal sealed class Lookahead : IAsyncDisposable
{
    private readonly IReadOnlyList<PlannedEntry> _entries;
    private readonly ArchiveStart _start;
    private readonly long _from;
    private readonly ObjectStore _store;
    private readonly ByteBudget _budget;
    private readonly ByteBudget _ranges;
    private readonly TransferCounters _counters;
    private readonly CancellationTokenSource _stop;
    private readonly Queue<(Task<IObjectReader> Opening, long Size)> _ahead = new();
    private int _window;
    private int _next;
    private long _bytesAhead;

    /// <param name="entries">What is opened, in order.</param>
    /// <param name="start">The first of them.</param>
    /// <param name="from">From where on the first is read.</param>
    /// <param name="store">Opens them.</param>
    /// <param name="memory">What may be held before its turn.</param>
    /// <param name="counters">Counts tries and bytes.</param>
    /// <param name="cancellationToken">Ends everything.</param>
    public Lookahead(
        IReadOnlyList<PlannedEntry> entries, ArchiveStart start, long from, ObjectStore store, AheadMemory memory, TransferCounters counters, CancellationToken cancellationToken)
    {
        _entries = entries;
        _start = start;
        _from = from;
        _next = start.FirstBody;
        _store = store;
        _budget = memory.Objects;
        _ranges = memory.Ranges;
        _counters = counters;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _window = store.Options.Lookahead;
    }

    /// <summary>The next object in order, its size known, the caller's from then on; the window moves up to it.</summary>
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
        while (_next < _entries.Count && _ahead.Count < _window && currentRest + _bytesAhead < _budget.Total)
        {
            Open();
        }
    }

    /// <summary>Closes the connections of objects whose turn will come; those that are still being opened keep theirs.</summary>
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
            // A failure of an object whose turn never came is nobody's.
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
            // Those behind it have taken the budget. It is its turn, so it may have what every bundle has for one.
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
        _window = reader.IsPreloaded ? Math.Min(_window + 1, _store.Options.MostAtOnce) : _store.Options.Lookahead;
        reader.StartRanges(_ranges);
        reader.GoOn();
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
        if (entry.Opened is { } opened)
        {
            entry.Opened = null;
            await opened.DisposeAsync();
        }

        return await _store.OpenPartAsync(entry.Request, entry.Head!, new ByteRange(_from), _counters, _stop.Token);
    }

    private Task<IObjectReader> OpenAsync(PlannedEntry entry)
    {
        if (entry.Opened is { } opened)
        {
            entry.Opened = null;
            return Task.FromResult(opened);
        }

        // On another thread: making a request costs more than sending a small object on.
        return Task.Run(() => _store.OpenAsync(
            entry.Request, entry.Head, reader => reader.PrepareAsync(_budget, _store.Options.SmallObject), _counters, _stop.Token));
    }
}
