using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>
/// Opens the next objects before it is their turn, so that storage's latency passes while others are sent.
/// </summary>
/// <remarks>
/// <para>One caller. It owns every reader it has opened until <see cref="NextAsync"/> hands it out. Each opening runs as a task
/// that ends by itself: it opens one object and, if the object is small, takes it into memory and frees its connection.</para>
/// <para>Bound: at most <see cref="UpstreamOptions.Lookahead"/> objects, and none that begins more than
/// <see cref="UpstreamOptions.LookaheadBytes"/> behind what is being sent. Small means at most their quotient, so memory stays
/// below LookaheadBytes however little is known of sizes beforehand. Nothing is opened while the client stands still, because
/// the window moves only with what it takes.</para>
/// </remarks>
internal sealed class Lookahead : IAsyncDisposable
{
    private readonly IReadOnlyList<PlannedEntry> _entries;
    private readonly ObjectStore _store;
    private readonly TransferCounters _counters;
    private readonly CancellationTokenSource _stop;
    private readonly Queue<(Task<ObjectReader> Opening, long Size)> _ahead = new();
    private readonly long _smallObject;
    private int _next;
    private long _bytesAhead;

    public Lookahead(IReadOnlyList<PlannedEntry> entries, ObjectStore store, TransferCounters counters, CancellationToken cancellationToken)
    {
        _entries = entries;
        _store = store;
        _counters = counters;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _smallObject = store.Options.LookaheadBytes / store.Options.Lookahead;
    }

    /// <summary>The next object in order, the caller's from then on; the window moves up to it.</summary>
    /// <exception cref="UpstreamException">It could not be opened.</exception>
    public Task<ObjectReader> NextAsync()
    {
        if (_ahead.Count == 0)
        {
            Open();
        }

        var (opening, size) = _ahead.Dequeue();
        _bytesAhead -= size;
        Fill(size);
        return opening;
    }

    /// <summary>Opens what the window reaches.</summary>
    /// <param name="currentRest">Bytes of the current object that are still to come.</param>
    public void Fill(long currentRest)
    {
        while (_next < _entries.Count
            && _ahead.Count < _store.Options.Lookahead
            && currentRest + _bytesAhead < _store.Options.LookaheadBytes)
        {
            Open();
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

    private void Open()
    {
        var entry = _entries[_next++];
        var size = entry.Head?.Size ?? 0;
        // On another thread: making a request costs more than sending a small object on.
        _ahead.Enqueue((Task.Run(() => OpenAsync(entry)), size));
        _bytesAhead += size;
    }

    private async Task<ObjectReader> OpenAsync(PlannedEntry entry)
    {
        if (entry.Opened is { } opened)
        {
            entry.Opened = null;
            return opened;
        }

        return await _store.OpenAsync(entry.Request, entry.Head, PrepareAsync, _counters, _stop.Token);
    }

    private Task PrepareAsync(ObjectReader reader) => reader.Head.Size switch
    {
        null => reader.LearnSizeAsync(new ByteBudget(_smallObject)),
        { } size when size <= _smallObject => reader.PreloadAsync(),
        _ => Task.CompletedTask,
    };
}
