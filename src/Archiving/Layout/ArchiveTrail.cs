namespace Gateway.Archiving.Layout;

/// <summary>
/// What was learned of an archive while it was made: enough to go on within it later. Any number of threads may make the same
/// archive and share one; equal plans and recipes learn the same.
/// </summary>
/// <remarks>Memory: 24 bytes for every 4 MiB of plain archive, and for zip 16 bytes for each entry.</remarks>
public sealed class ArchiveTrail
{
    private readonly Lock _lock = new();
    private readonly SortedList<long, ArchiveCheckpoint> _checkpoints = [];
    private readonly Dictionary<int, EntryResult> _results = [];

    /// <summary>The places known, in order.</summary>
    public ArchiveCheckpoint[] Checkpoints
    {
        get
        {
            lock (_lock)
            {
                return [.. _checkpoints.Values];
            }
        }
    }

    /// <summary>Notes a place.</summary>
    public void Add(ArchiveCheckpoint checkpoint)
    {
        lock (_lock)
        {
            _checkpoints[checkpoint.PlainOffset] = checkpoint;
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
    public EntryResult? ResultOf(int entry)
    {
        lock (_lock)
        {
            return _results.TryGetValue(entry, out var result) ? result : null;
        }
    }

    /// <summary>The last place at or before a byte of the archive and a byte of the plain archive; its beginning where there is none.</summary>
    public ArchiveCheckpoint Nearest(long offset, long plainOffset = long.MaxValue)
    {
        lock (_lock)
        {
            // Both grow together.
            var (low, high) = (0, _checkpoints.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                var place = _checkpoints.GetValueAtIndex(middle);
                (low, high) = place.Offset <= offset && place.PlainOffset <= plainOffset ? (middle + 1, high) : (low, middle);
            }

            return low == 0 ? default : _checkpoints.GetValueAtIndex(low - 1);
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _checkpoints.Clear();
            _results.Clear();
        }
    }
}
