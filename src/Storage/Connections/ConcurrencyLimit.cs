namespace Gateway.Storage.Connections;

/// <summary>
/// Limits the concurrent requests to a destination. Without a sign of overload there is no limit. Storage that returns 429 or 503,
/// or does not respond in time, is overloaded: the limit then drops at once and rises slowly while requests succeed (additive
/// increase, multiplicative decrease). At a limit of one request, requests are also spaced out.
/// </summary>
/// <remarks>
/// <para>A request holds a slot while the gateway needs bytes from it: from being sent until its body is read, paused, or closed. A paused
/// body holds none, so no request waits for a client. When reading continues, it is counted without waiting. Waiting requests are
/// served in order, those that continue an object first.</para>
/// <para>Thread-safe. Memory: one entry for each waiting request.</para>
/// </remarks>
internal sealed class ConcurrencyLimit
{
    // No bundle has more requests in flight, and fewer bundles than that run.
    private const double Unlimited = 1 << 20;

    // What remains of the limit after a decrease: half while it is being determined, and most of it once it was only one too high.
    private const double Overload = 0.5;
    private const double Probe = 0.85;

    // The limit rises by one after this many successes, or after twice the number of concurrent requests: about one in twenty is rejected.
    private const double SuccessesPerProbe = 20;

    private const double SpacingGrowth = 1.5;
    private const double SpacingDecay = 0.975;
    private static readonly TimeSpan FirstSpacing = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan MaxSpacing = TimeSpan.FromSeconds(1);

    // After this time without a rejection there is no limit any more.
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(1);

    // A destination that has responded within this time is overloaded, not broken.
    private static readonly TimeSpan Recent = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly int? _fixed;
    private readonly LinkedList<TaskCompletionSource<Slot>> _urgent = [];
    private readonly LinkedList<TaskCompletionSource<Slot>> _waiting = [];
    private readonly ITimer _timer;
    private double _limit;
    private int _running;
    private int _notWaiting;
    private int _successesSinceDecrease;
    private int _refusalsSinceDecrease;
    private TimeSpan _spacing;
    private TimeSpan _pause;
    private long _nextStart;
    private long _lastDecrease;
    private long? _lastSuccess;

    /// <param name="fixedLimit">A fixed limit; null: adaptive.</param>
    /// <param name="time">The clock.</param>
    public ConcurrencyLimit(int? fixedLimit, TimeProvider time)
    {
        (_fixed, _time) = (fixedLimit, time);
        _limit = fixedLimit ?? Unlimited;
        _lastDecrease = _nextStart = time.GetTimestamp();
        _timer = time.CreateTimer(static limit => ((ConcurrencyLimit)limit!).Admit(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether there is a limit now.</summary>
    public bool IsActive => Volatile.Read(ref _limit) < Unlimited;

    /// <summary>The limit; null if there is none.</summary>
    public double? Current => Volatile.Read(ref _limit) is < Unlimited and var limit ? limit : null;

    /// <summary>Takes a slot if one is available at once.</summary>
    public Slot? TryEnter()
    {
        lock (_lock)
        {
            return _urgent.Count + _waiting.Count == 0 && MayStart() ? Start() : null;
        }
    }

    /// <summary>Waits for a slot.</summary>
    public ValueTask<Slot> EnterAsync(CancellationToken cancellationToken) => EnterAsync(_waiting, cancellationToken);

    /// <summary>Waits for a slot before all others: the request continues an object that is being sent.</summary>
    public ValueTask<Slot> EnterUrgentAsync(CancellationToken cancellationToken) => EnterAsync(_urgent, cancellationToken);

    private async ValueTask<Slot> EnterAsync(LinkedList<TaskCompletionSource<Slot>> queue, CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource<Slot>> waiter;
        lock (_lock)
        {
            if (_urgent.Count + _waiting.Count == 0 && MayStart())
            {
                return Start();
            }

            waiter = queue.AddLast(new TaskCompletionSource<Slot>(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        Admit();
        await using var registration = cancellationToken.UnsafeRegister(static (waiter, token) => ((TaskCompletionSource<Slot>)waiter!).TrySetCanceled(token), waiter.Value);
        try
        {
            return await waiter.Value.Task;
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
            {
                waiter.List?.Remove(waiter);
            }

            throw;
        }
    }

    /// <summary>Counts a request, or a resumed body, that does not wait. Among any number of these, at least one waiting request is
    /// served.</summary>
    public Slot Enter()
    {
        lock (_lock)
        {
            _notWaiting++;
            return new Slot(this, _time.GetTimestamp(), hasWaited: false);
        }
    }

    /// <summary>Reports that the destination responded to a request and was not overloaded.</summary>
    public void Succeeded()
    {
        lock (_lock)
        {
            _lastSuccess = _time.GetTimestamp();
            if (_fixed is not null || _limit >= Unlimited)
            {
                // A waiting request needs a slot, or time; a success gives neither.
                return;
            }

            if (_time.GetElapsedTime(_lastDecrease) >= Forgotten)
            {
                _limit = Unlimited;
                (_spacing, _pause) = (TimeSpan.Zero, TimeSpan.Zero);
            }

            _successesSinceDecrease++;
            if (_spacing > TimeSpan.Zero)
            {
                _spacing = _spacing < FirstSpacing / 2 ? TimeSpan.Zero : _spacing * SpacingDecay;
            }
            else if (_running + _notWaiting >= (int)_limit)
            {
                _limit += 1 / Math.Max(SuccessesPerProbe, 2 * _limit);
            }
        }

        Admit();
    }

    /// <summary>Reports that the destination rejected a request because it has too many.</summary>
    /// <returns>Whether the destination responds to other requests, so that this rejection costs no attempt.</returns>
    public bool Refused(Slot slot) => Refused(slot, isOverload: true);

    /// <summary>Reports that the destination rejected a request, probably because of its object only.</summary>
    /// <returns>The same.</returns>
    public bool RefusedObject(Slot slot) => Refused(slot, isOverload: false);

    private bool Refused(Slot slot, bool isOverload)
    {
        lock (_lock)
        {
            _refusalsSinceDecrease++;
            var others = _running + _notWaiting - (slot.IsReleased ? 0 : 1);

            // A request that ran alone was not rejected because of others, and one sent before the last decrease gives no new information.
            if (isOverload && _fixed is null && slot.Started >= _lastDecrease && (others > 0 || _limit < Unlimited))
            {
                Decrease(others + 1);
            }

            return others > 0 || (_lastSuccess is { } last && _time.GetElapsedTime(last) < Recent);
        }
    }

    private void Decrease(int running)
    {
        var limit = Math.Min(_limit, running);
        if (limit > 1)
        {
            _pause = TimeSpan.Zero;
        }
        else if (_successesSinceDecrease == 0)
        {
            // Rejected again: storage needs a pause. This does not show at which rate storage accepts requests afterwards.
            _pause = Clamp(_pause * 2);
        }
        else
        {
            _pause = TimeSpan.Zero;
            _spacing = Clamp(_spacing * SpacingGrowth);
        }

        // If most requests are rejected, the limit is far too high. Otherwise it was one too high, or storage rejects some at random.
        _limit = Math.Max(1, Math.Floor(_refusalsSinceDecrease > _successesSinceDecrease ? limit * Overload : Math.Min(limit * Probe, limit - 1)));
        (_successesSinceDecrease, _refusalsSinceDecrease) = (0, 0);
        _lastDecrease = _time.GetTimestamp();
        _nextStart = Math.Max(_nextStart, _lastDecrease + ToTimestamp(_pause > _spacing ? _pause : _spacing));
    }

    private static TimeSpan Clamp(TimeSpan spacing) => spacing < FirstSpacing ? FirstSpacing : spacing > MaxSpacing ? MaxSpacing : spacing;

    private int FreeSlots => (int)_limit - _running - Math.Min(_notWaiting, (int)_limit - 1);

    private bool MayStart() => FreeSlots > 0 && (_spacing + _pause == TimeSpan.Zero || _time.GetTimestamp() >= _nextStart);

    private Slot Start()
    {
        _running++;
        var now = _time.GetTimestamp();
        _nextStart = now + ToTimestamp(_spacing);
        return new Slot(this, now, hasWaited: true);
    }

    /// <summary>Starts waiting requests up to the limit.</summary>
    private void Admit()
    {
        lock (_lock)
        {
            while ((_urgent.First ?? _waiting.First) is { } next)
            {
                if (!MayStart())
                {
                    break;
                }

                next.List!.Remove(next);
                if (!next.Value.TrySetResult(Start()))
                {
                    // It has stopped waiting.
                    _running--;
                }
            }

            if (_urgent.Count + _waiting.Count > 0 && FreeSlots > 0)
            {
                // Only the spacing delays it.
                _timer.Change(_time.GetElapsedTime(_time.GetTimestamp(), _nextStart) is { Ticks: > 0 } rest ? rest : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            }
        }
    }

    private long ToTimestamp(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    private void Release(bool hasWaited)
    {
        lock (_lock)
        {
            _ = hasWaited ? _running-- : _notWaiting--;
        }

        Admit();
    }

    /// <summary>A request's slot. Disposing it more than once has no effect.</summary>
    internal sealed class Slot(ConcurrencyLimit limit, long started, bool hasWaited) : IDisposable
    {
        private int _released;

        /// <summary>Timestamp.</summary>
        public long Started => started;

        public bool IsReleased => Volatile.Read(ref _released) != 0;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
            {
                limit.Release(hasWaited);
            }
        }
    }
}
