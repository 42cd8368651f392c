using Gateway.Archiving.Layout;

namespace Gateway.Resuming;

/// <summary>What is known of one archive. Any number of requests may make it at the same time.</summary>
internal sealed class ResumeState
{
    private readonly Lock _lock = new();
    private readonly HashSet<long> _untold = [];
    private long _lastUntold;
    private bool _isEndUntold;
    private bool _isTelling;
    private ArchiveEnd? _end;

    /// <param name="etag">Names every byte; null when nothing does, and what is learned is of no use to others.</param>
    /// <param name="layout">Where everything stands; null when nothing was checked.</param>
    /// <param name="changed">Is told when there is something new for other replicas.</param>
    public ResumeState(string? etag, ArchiveLayout? layout, Action<ResumeState>? changed)
    {
        ETag = etag;
        Layout = layout;
        Changed = changed;
        Facts = new ArchiveFacts(Reached);
    }

    public string? ETag { get; }

    public ArchiveLayout? Layout { get; }

    /// <summary>What was learned so far. Who makes the archive takes it once and keeps to it: it may be replaced meanwhile.</summary>
    public ArchiveFacts Facts { get; private set; }

    /// <summary>Whether hashes are part of it.</summary>
    public bool NeedsHashes { get; init; }

    /// <summary>Its length, once it was made whole.</summary>
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

    /// <summary>Whether what was said of it has turned out wrong, so that others are not asked any more until it was made whole again.</summary>
    public bool IsDoubted { get; private set; }

    private Action<ResumeState>? Changed { get; }

    /// <summary>It was made whole.</summary>
    /// <param name="length">Its bytes.</param>
    /// <param name="hash">SHA-256 of these, where somebody asked for it.</param>
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

    /// <summary>Another replica made it whole.</summary>
    public void Learn(ArchiveEnd end)
    {
        lock (_lock)
        {
            _end ??= end;
        }
    }

    /// <summary>What was learned was of another archive.</summary>
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

    /// <summary>The caller could not tell others; what is new goes with the next telling.</summary>
    public void StopTelling()
    {
        lock (_lock)
        {
            _isTelling = false;
        }
    }

    /// <summary>Whether the caller is to tell others; it is, until <see cref="TakeUntold"/> gives nothing more.</summary>
    public bool TryBeginTelling()
    {
        lock (_lock)
        {
            return !_isTelling && (_isTelling = true);
        }
    }

    /// <summary>What others have not been told yet: numbers of segments, and the end.</summary>
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

    /// <summary>What is told of up to this place. What became of the last entries of a segment shows only in the next one.</summary>
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
