namespace Gateway.Archiving.Resuming;

/// <summary>
/// What was recorded about an archive while it was written: enough to resume it later. Any number of threads may write the same
/// archive and share one checkpoints; equal plans and recipes record the same.
/// </summary>
/// <remarks>Memory: 24 bytes for every 4 MiB of the plain archive, and for zip some 40 bytes for each entry.</remarks>
/// <param name="reached">Called for every checkpoint that a writer reaches, on its thread.</param>
public sealed class CheckpointIndex(Action<Checkpoint>? reached = null)
{
    /// <summary>Minimum number of uncompressed bytes between two checkpoints.</summary>
    public const long Interval = 4 << 20;

    private readonly Lock _lock = new();
    private readonly SortedList<long, Checkpoint> _checkpoints = [];
    private readonly Dictionary<int, EntryResult> _results = [];

    /// <summary>Adds a checkpoint.</summary>
    public void Add(Checkpoint checkpoint)
    {
        lock (_lock)
        {
            _checkpoints[checkpoint.PlainOffset] = checkpoint;
        }
    }

    /// <summary>The known checkpoints in a part of the plain archive, in order.</summary>
    /// <param name="from">The offset of its first byte.</param>
    /// <param name="end">The offset after its last byte.</param>
    public Checkpoint[] Between(long from, long end)
    {
        lock (_lock)
        {
            var first = CountWhile(place => place.PlainOffset < from);
            return [.. Enumerable.Range(first, CountWhile(place => place.PlainOffset < end) - first).Select(_checkpoints.GetValueAtIndex)];
        }
    }

    /// <summary>Records the result of an entry.</summary>
    public void Add(int entry, EntryResult result)
    {
        lock (_lock)
        {
            _results[entry] = result;
        }
    }

    /// <summary>The result of an entry; null if unknown.</summary>
    public EntryResult? FindResult(int entry)
    {
        lock (_lock)
        {
            return _results.TryGetValue(entry, out var result) ? result : null;
        }
    }

    /// <summary>The last checkpoint at or before an offset in the archive and one in the plain archive; the beginning if there is none.</summary>
    public Checkpoint Nearest(long offset, long plainOffset = long.MaxValue)
    {
        lock (_lock)
        {
            // Both offsets increase together.
            var count = CountWhile(place => place.Offset <= offset && place.PlainOffset <= plainOffset);
            return count == 0 ? default : _checkpoints.GetValueAtIndex(count - 1);
        }
    }

    /// <summary>Whether a checkpoint after this byte of the archive is known, so that none can be better than <see cref="Nearest"/>.</summary>
    public bool Covers(long offset)
    {
        lock (_lock)
        {
            return _checkpoints.Count > 0 && _checkpoints.GetValueAtIndex(_checkpoints.Count - 1).Offset > offset;
        }
    }

    /// <summary>Called when a writer reaches a checkpoint.</summary>
    internal void Reach(Checkpoint checkpoint)
    {
        Add(checkpoint);
        reached?.Invoke(checkpoint);
    }

    /// <summary>The number of leading checkpoints that match.</summary>
    private int CountWhile(Predicate<Checkpoint> predicate)
    {
        var (low, high) = (0, _checkpoints.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = predicate(_checkpoints.GetValueAtIndex(middle)) ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
