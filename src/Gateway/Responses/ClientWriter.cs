using System.IO.Pipelines;
using Gateway.Storage.Failures;

namespace Gateway.Responses;

/// <summary>
/// The response's body, as the last stop of an archive's bytes: counts them, measures how long the client keeps us waiting, and
/// turns a client that left or stands still into an exception at the next flush.
/// </summary>
/// <remarks>
/// Writes to a connection that is gone complete at once, and only the flush's result tells; whoever ignores it pulls whole
/// objects from storage for nobody. The timer runs only while a flush waits.
/// </remarks>
internal sealed class ClientWriter : PipeWriter, IDisposable
{
    // A read from storage may take as much as there is room for here. Who keeps up gets room for large reads, which cost half as
    // much a byte; who does not holds little memory.
    private const int MinRoom = 16 * 1024;
    private const int MaxRoom = 260 * 1024; // two blocks of 128 KiB that are stored, with their headers
    private const int MinRead = 4 * 1024;

    // The server puts the length of a chunk before it and a line's end behind it; with them it shall fit into a pool's buffer.
    private const int Framing = 64;

    // More than the kernel's buffers take from somebody who never reads.
    private const int GrowAfter = 128;
    private static readonly TimeSpan KeepsUp = TimeSpan.FromMilliseconds(20);

    // Of waiting for the client, over which its rate is measured: longer than a lost packet takes.
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(10);

    private readonly PipeWriter _response;
    private readonly TimeSpan _stallTimeout;
    private readonly TimeProvider _time;
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenSource _stall;
    private readonly CancellationTokenRegistration _cancelled;
    private readonly ITimer _rateTimer;
    private readonly long _minRate;
    private readonly Func<bool> _othersWait;
    private volatile bool _isCancelled;
    private volatile bool _isSlow;

    // Where the window began: bytes handed on, and the time waited when it did.
    private long _windowBytes;
    private TimeSpan _windowWaited;
    private Memory<byte> _memory;
    private int _room;
    private int _nextRoom = MinRoom;
    private long _keptUpFrom;
    private byte? _lastByte;

    /// <param name="response">The body of the response.</param>
    /// <param name="options">The time-out and the minimum rate.</param>
    /// <param name="othersWait">Whether other clients wait for the permit that this one holds.</param>
    /// <param name="time">Measures the times.</param>
    /// <param name="cancellationToken">Ends the flush that waits.</param>
    public ClientWriter(PipeWriter response, ClientOptions options, Func<bool> othersWait, TimeProvider time, CancellationToken cancellationToken)
    {
        _response = response;
        _stallTimeout = options.StallTimeout;
        _minRate = options.MinRate;
        _othersWait = othersWait;
        _time = time;
        _rateTimer = time.CreateTimer(static writer => ((ClientWriter)writer!).CheckRate(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _cancellationToken = cancellationToken;
        _stall = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _cancelled = cancellationToken.UnsafeRegister(static writer => ((ClientWriter)writer!).Cancel(), this);
    }

    public long Bytes { get; private set; }

    /// <summary>
    /// The length of the body that the headers state, where it is only remembered: more is not passed on, and the last byte leaves
    /// only by <see cref="EndAsync"/>. So a length that is wrong never makes a part of an archive look whole.
    /// </summary>
    public long? ExpectedLength { get; set; }

    /// <summary>Whether the body was not what was expected.</summary>
    public bool IsUnexpected { get; private set; }

    /// <summary>Time in which flushes waited.</summary>
    public TimeSpan Waited { get; private set; }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        var least = Math.Max(sizeHint, _nextRoom > MinRoom ? MinRoom : MinRead);
        var memory = _response.GetMemory(_room >= least ? _room : Math.Max(sizeHint, _nextRoom - Framing));
        _room = memory.Length;
        return _memory = memory;
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        _memory = _response.GetMemory(sizeHint);
        _room = _memory.Length;
        return _memory.Span;
    }

    public override void Advance(int bytes)
    {
        if (bytes == 0)
        {
            return;
        }

        if (_lastByte is not null || Bytes + bytes > ExpectedLength)
        {
            throw Unexpected();
        }

        if (Bytes + bytes == ExpectedLength)
        {
            _lastByte = _memory.Span[--bytes];
        }

        _response.Advance(bytes);
        _memory = _memory[bytes..];
        _room -= bytes;
        Bytes += bytes;
    }

    /// <inheritdoc/>
    /// <exception cref="ClientException">The client left, or took nothing for the stall time-out.</exception>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var flush = _response.FlushAsync(_stall.Token);
        if (flush.IsCompletedSuccessfully)
        {
            Grow();
            return new(Require(flush.Result));
        }

        return new(WaitAsync(flush));
    }

    /// <summary>The archive has ended. It must be as long as was expected; then its last byte leaves.</summary>
    /// <exception cref="StorageException">It is shorter.</exception>
    public async ValueTask EndAsync()
    {
        if (_lastByte is { } last)
        {
            _response.GetSpan(1)[0] = last;
            _response.Advance(1);
            _lastByte = null;
            Bytes++;
            await FlushAsync(CancellationToken.None);
        }

        if (Bytes < ExpectedLength)
        {
            throw Unexpected();
        }
    }

    /// <summary>The failure of an archive that is not what was remembered of it.</summary>
    public StorageException Unexpected()
    {
        IsUnexpected = true;
        return new StorageException(FailureReason.ArchiveChanged);
    }

    public override void CancelPendingFlush() => _response.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        // The response is the server's to complete: its end is what tells a whole archive from a cut one.
    }

    public void Dispose()
    {
        _cancelled.Dispose();
        _rateTimer.Dispose();
        _stall.Dispose();
    }

    private async Task<FlushResult> WaitAsync(ValueTask<FlushResult> flush)
    {
        var started = _time.GetTimestamp();
        try
        {
            _stall.CancelAfter(_stallTimeout);
            WatchRate();
            var result = await flush;
            _stall.CancelAfter(Timeout.InfiniteTimeSpan);
            return Require(result);
        }
        catch (OperationCanceledException)
        {
            throw Stopped();
        }
        finally
        {
            _rateTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            var waited = _time.GetElapsedTime(started);
            Waited += waited;
            if (waited < KeepsUp)
            {
                Grow();
            }
            else
            {
                _nextRoom = MinRoom;
                _keptUpFrom = Bytes;
            }
        }
    }

    /// <summary>Lets the rate be checked when the client has kept us waiting for a whole window, in one flush or in many.</summary>
    private void WatchRate()
    {
        if (_minRate == 0)
        {
            return;
        }

        var rest = RateWindow - (Waited - _windowWaited);
        if (rest <= TimeSpan.Zero)
        {
            BeginWindow(Waited);
            rest = RateWindow;
        }

        _rateTimer.Change(rest, Timeout.InfiniteTimeSpan);
    }

    private void CheckRate()
    {
        if (Bytes - _windowBytes < _minRate * RateWindow.TotalSeconds && _othersWait())
        {
            _isSlow = true;
            _stall.Cancel();
            return;
        }

        // The flush that waits goes on; what it has waited belongs to the window that has ended.
        BeginWindow(Waited);
        _rateTimer.Change(RateWindow, Timeout.InfiniteTimeSpan);
    }

    private void BeginWindow(TimeSpan waited) => (_windowBytes, _windowWaited) = (Bytes, waited);

    private void Grow()
    {
        if (_nextRoom < MaxRoom && Bytes - _keptUpFrom > GrowAfter * _nextRoom)
        {
            _nextRoom = Math.Min(2 * _nextRoom, MaxRoom);
            _keptUpFrom = Bytes;
        }
    }

    private FlushResult Require(FlushResult result)
    {
        return result.IsCanceled || result.IsCompleted ? throw Stopped() : result;
    }

    /// <summary>
    /// Whatever came first counts: the server ends the connection of a flush that our timer cancelled, so that after a stall
    /// the client seems to have gone, too.
    /// </summary>
    private Exception Stopped() =>
        _isCancelled ? new OperationCanceledException(_cancellationToken)
        : _isSlow ? new ClientException(FailureReason.ClientStalled, $"The client takes less than {_minRate} bytes a second, and others wait.")
        : new ClientException(_stall.IsCancellationRequested ? FailureReason.ClientStalled : FailureReason.ClientGone);

    private void Cancel()
    {
        if (!_stall.IsCancellationRequested)
        {
            _isCancelled = true;
            _stall.Cancel();
        }
    }
}
