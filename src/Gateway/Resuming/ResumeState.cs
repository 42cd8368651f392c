using Gateway.Archiving.Layout;

namespace Gateway.Resuming;

/// <summary>What is known about one archive. Any number of requests may write it at the same time.</summary>
internal sealed class ResumeState
{
    private readonly Lock _lock = new();
    private readonly HashSet<long> _untold = [];
    private long _lastUntold;
    private bool _isEndUntold;
    private bool _isTelling;
    private ArchiveEnd? _end;

    /// <param name="etag">Identifies every byte; null if nothing does, and what is recorded is useless to others.</param>
    /// <param name="layout">The layout; null if nothing was checked.</param>
    /// <param name="changed">Called when there is something new for other replicas.</param>
    public ResumeState(string? etag, ArchiveLayout? layout, Action<ResumeState>? changed)
    {
        ETag = etag;
        Layout = layout;
        Changed = changed;
        Facts = new ArchiveFacts(Reached);
    }

    public string? ETag { get; }

    public ArchiveLayout? Layout { get; }

    /// <summary>What was recorded so far. A request that writes the archive reads this once, because it may be replaced meanwhile.</summary>
    public ArchiveFacts Facts { get; private set; }

    /// <summary>Whether it includes hashes.</summary>
    public bool NeedsHashes { get; init; }

    /// <summary>Its length, once it was written completely.</summary>
    public ArchiveEnd? End
    {
        get
        {
            lock (_lock)
            {
                return _end;
            }
        }
    }

    /// <summary>Whether the known end was wrong, so that Redis is not queried until the archive was written completely again.</summary>
    public bool IsDoubted { get; private set; }

    private Action<ResumeState>? Changed { get; }

    /// <summary>Records that it was written completely.</summary>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="hash">Its SHA-256, if a client requested it.</param>
    public void Ended(long length, byte[]? hash)
    {
        lock (_lock)
        {
            if (_end?.Length == length && (hash is null || hash.AsSpan().SequenceEqual(_end.Sha256)))
            {
                _end = hash is null ? _end : new ArchiveEnd(length, hash);
                return;
            }

            _end = new ArchiveEnd(length, hash);
            IsDoubted = false;
            _isEndUntold = true;
            if (Layout is { } layout)
            {
                Untold(layout.PlainLength);
            }
        }

        Changed?.Invoke(this);
    }

    /// <summary>Records that another replica wrote it completely.</summary>
    public void Learn(ArchiveEnd end)
    {
        lock (_lock)
        {
            _end ??= end;
        }
    }

    /// <summary>Discards everything, because it belongs to another archive.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            Facts = new ArchiveFacts(Reached);
            _end = null;
            IsDoubted = true;
            _untold.Clear();
        }
    }

    /// <summary>Publishing failed; what is new goes with the next publication.</summary>
    public void StopTelling()
    {
        lock (_lock)
        {
            _isTelling = false;
        }
    }

    /// <summary>Whether the caller must publish; if so, until <see cref="TakeUntold"/> returns nothing more.</summary>
    public bool TryBeginTelling()
    {
        lock (_lock)
        {
            return !_isTelling && (_isTelling = true);
        }
    }

    /// <summary>What has not been published yet: numbers of segments, and the end.</summary>
    public (long[] Segments, ArchiveEnd? End) TakeUntold()
    {
        lock (_lock)
        {
            (long[] Segments, ArchiveEnd? End) untold = ([.. _untold], _isEndUntold ? _end : null);
            _untold.Clear();
            _isEndUntold = false;
            _isTelling = untold is not { Segments: [], End: null };
            return untold;
        }
    }

    /// <summary>Marks the segment at this place as unpublished, and the previous one too: the results of a segment's last entries are known
    /// only in the next one.</summary>
    private void Untold(long plainOffset)
    {
        var number = CheckpointSegment.NumberOf(plainOffset);
        _untold.Add(number);
        if (number > 0 && _lastUntold != number)
        {
            _untold.Add(number - 1);
        }

        _lastUntold = number;
    }

    private void Reached(ArchiveCheckpoint checkpoint)
    {
        lock (_lock)
        {
            Untold(checkpoint.PlainOffset);
        }

        Changed?.Invoke(this);
    }
}
