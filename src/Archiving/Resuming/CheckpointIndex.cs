namespace Gateway.Archiving.Resuming;

/// <summary>
/// What was learned of an archive while it was made: enough to go on within it later. Any number of threads may make the same
/// archive and share one; equal plans and recipes learn the same.
/// </summary>
/// <remarks>Memory: 24 bytes for every 4 MiB of plain archive, and for zip some 40 bytes for each entry.</remarks>
/// <param name="reached">Is told of every place that a writer reaches, on its thread.</param>
public sealed class CheckpointIndex(Action<Checkpoint>? reached = null)
{
    /// <summary>Plain bytes, at least, between two places that a writer notes.</summary>
    public const long Interval = 4 << 20;

    private readonly Lock _lock = new();
    private readonly SortedList<long, Checkpoint> _checkpoints = [];
    private readonly Dictionary<int, EntryResult> _results = [];

    /// <summary>Notes a place.</summary>
    public void Add(Checkpoint checkpoint)
    {
        lock (_lock)
        {
            _checkpoints[checkpoint.PlainOffset] = checkpoint;
        }
    }

    /// <summary>The places known in a part of the plain archive, in order.</summary>
    /// <param name="from">Its first byte.</param>
    /// <param name="end">Behind its last byte.</param>
    public Checkpoint[] Between(long from, long end)
    {
        lock (_lock)
        {
            var first = CountWhile(place => place.PlainOffset < from);
            return [.. Enumerable.Range(first, CountWhile(place => place.PlainOffset < end) - first).Select(_checkpoints.GetValueAtIndex)];
        }
    }

    /// <summary>Notes what became of an entry.</summary>
    public void Add(int entry, EntryResult result)
    {
        lock (_lock)
        {
            _results[entry] = result;
        }
    }

    /// <summary>What became of an entry; null when it is not known.</summary>
    public EntryResult? FindResult(int entry)
    {
        lock (_lock)
        {
            return _results.TryGetValue(entry, out var result) ? result : null;
        }
    }

    /// <summary>The last place at or before a byte of the archive and a byte of the plain archive; its beginning where there is none.</summary>
    public Checkpoint Nearest(long offset, long plainOffset = long.MaxValue)
    {
        lock (_lock)
        {
            // Both grow together.
            var count = CountWhile(place => place.Offset <= offset && place.PlainOffset <= plainOffset);
            return count == 0 ? default : _checkpoints.GetValueAtIndex(count - 1);
        }
    }

    /// <summary>Whether a place behind this byte of the archive is known, so that no better one than <see cref="Nearest"/> can be.</summary>
    public bool Covers(long offset)
    {
        lock (_lock)
        {
            return _checkpoints.Count > 0 && _checkpoints.GetValueAtIndex(_checkpoints.Count - 1).Offset > offset;
        }
    }

    /// <summary>A writer has come to a place.</summary>
    internal void Reach(Checkpoint checkpoint)
    {
        Add(checkpoint);
        reached?.Invoke(checkpoint);
    }

    /// <summary>How many places at the beginning are so.</summary>
    private int CountWhile(Predicate<Checkpoint> isSo)
    {
        var (low, high) = (0, _checkpoints.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = isSo(_checkpoints.GetValueAtIndex(middle)) ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
