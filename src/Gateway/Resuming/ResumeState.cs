using Gateway.Archiving.Layout;
using Gateway.Archiving.Resuming;

namespace Gateway.Resuming;

/// <summary>What was learned of one archive while it was made: enough to resume it.</summary>
/// <remarks>Any number of requests may make the archive at the same time and share it. It holds at most one hash for each entry, and
/// <see cref="ResumeStateCache"/> bounds the total.</remarks>
internal sealed class ResumeState
{
    private readonly Lock _lock = new();
    private readonly HashSet<long> _unpublished = [];
    private readonly Action<ResumeState>? _changed;
    private long _lastUnpublished;
    private bool _isEndUnpublished;
    private bool _isPublishing;
    private bool _isForgotten;
    private ArchiveEnd? _end;

    // Most archives have no receipt, and need none.
    private Dictionary<int, byte[]>? _hashes;

    /// <param name="archive">What it is known of.</param>
    /// <param name="changed">Is called when there is something new for other replicas.</param>
    public ResumeState(ArchiveIdentity archive, Action<ResumeState>? changed)
    {
        Archive = archive;
        _changed = changed;
        Checkpoints = new CheckpointIndex(OnReached);
    }

    public ArchiveIdentity Archive { get; }

    public string? ETag => Archive.ETag;

    public ArchiveLayout? Layout => Archive.Layout;

    /// <summary>Where the archive can be resumed.</summary>
    public CheckpointIndex Checkpoints { get; }

    /// <summary>Its length, once it was made to its end.</summary>
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

    /// <summary>Whether what was known of it before has turned out wrong, so that other replicas are not asked until it was made to its end again.</summary>
    public bool IsDoubted { get; init; }

    /// <summary>Whether what was learned belongs to another archive. It is not published, and new requests get another state.</summary>
    public bool IsForgotten
    {
        get
        {
            lock (_lock)
            {
                return _isForgotten;
            }
        }
    }

    /// <summary>SHA-256 of an entry that was read to its end, by its place, where a receipt needs it; null when it is not known.</summary>
    public byte[]? GetHash(int entry)
    {
        lock (_lock)
        {
            return _hashes?.GetValueOrDefault(entry);
        }
    }

    /// <summary>Adds the SHA-256 of an entry.</summary>
    public void AddHash(int entry, byte[] hash)
    {
        lock (_lock)
        {
            (_hashes ??= [])[entry] = hash;
        }
    }

    /// <summary>The archive was made to its end.</summary>
    /// <param name="length">Its bytes.</param>
    /// <param name="hash">Their SHA-256, where a client wanted it.</param>
    public void SetEnd(long length, byte[]? hash)
    {
        lock (_lock)
        {
            if (_isForgotten)
            {
                return;
            }

            if (_end?.Length == length && (hash is null || hash.AsSpan().SequenceEqual(_end.Sha256)))
            {
                _end = hash is null ? _end : new ArchiveEnd(length, hash);
                return;
            }

            _end = new ArchiveEnd(length, hash);
            _isEndUnpublished = true;
            if (Layout is { } layout)
            {
                MarkUnpublished(layout.PlainLength);
            }
        }

        _changed?.Invoke(this);
    }

    /// <summary>Another replica made the archive to its end.</summary>
    public void LearnEnd(ArchiveEnd end)
    {
        lock (_lock)
        {
            _end ??= end;
        }
    }

    /// <summary>What was learned belongs to another archive. Requests that have this state already keep it; it is not published, and new requests get
    /// another one.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _isForgotten = true;
            _end = null;
            _isEndUnpublished = false;
            _unpublished.Clear();
        }
    }

    /// <summary>The caller could not publish; what is new is published next time.</summary>
    public void StopPublishing()
    {
        lock (_lock)
        {
            _isPublishing = false;
        }
    }

    /// <summary>Whether the caller is to publish; it is, until <see cref="TakeUnpublished"/> returns nothing more.</summary>
    public bool TryBeginPublishing()
    {
        lock (_lock)
        {
            return !_isForgotten && !_isPublishing && (_isPublishing = true);
        }
    }

    /// <summary>What was not published yet: numbers of segments, and the end.</summary>
    public (long[] Segments, ArchiveEnd? End) TakeUnpublished()
    {
        lock (_lock)
        {
            (long[] Segments, ArchiveEnd? End) unpublished = _isForgotten ? ([], null) : ([.. _unpublished], _isEndUnpublished ? _end : null);
            _unpublished.Clear();
            _isEndUnpublished = false;
            _isPublishing = unpublished is not { Segments: [], End: null };
            return unpublished;
        }
    }

    /// <summary>Notes what is known up to a place. The results of the last entries of a segment are known only in the next one.</summary>
    private void MarkUnpublished(long plainOffset)
    {
        if (_isForgotten)
        {
            return;
        }

        var number = CheckpointSegment.GetNumber(plainOffset);
        _unpublished.Add(number);
        if (number > 0 && _lastUnpublished != number)
        {
            _unpublished.Add(number - 1);
        }

        _lastUnpublished = number;
    }

    private void OnReached(Checkpoint checkpoint)
    {
        lock (_lock)
        {
            MarkUnpublished(checkpoint.PlainOffset);
        }

        _changed?.Invoke(this);
    }
}
