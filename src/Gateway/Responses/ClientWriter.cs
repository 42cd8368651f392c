using System.IO.Pipelines;
using Gateway.Storage.Failures;

namespace Gateway.Responses;

/// <summary>
/// The response body, the last writer of an archive's bytes. It counts them, measures how long the client keeps the gateway waiting, and
/// throws at the next flush if the client has disconnected or stalled.
/// </summary>
/// <remarks>
/// Writes to a closed connection complete at once, and only the flush's result reports it; a caller that ignored it would read whole
/// objects from storage for no one. The timer runs only while a flush waits.
/// </remarks>
internal sealed class ClientWriter : PipeWriter, IDisposable
{
    // A read from storage may take as many bytes as fit here. Fast clients get room for large reads, which cost half as much per
    // byte; slow ones hold little memory.
    private const int MinRoom = 16 * 1024;
    private const int MaxRoom = 260 * 1024; // two blocks of 128 KiB that are stored, with their headers
    private const int MinRead = 4 * 1024;

    // The server adds a length before each chunk and a line end after it; with them the chunk must fit into a pooled buffer.
    private const int Framing = 64;

    // More than the kernel's buffers accept for a client that never reads.
    private const int GrowAfter = 128;
    private static readonly TimeSpan KeepsUp = TimeSpan.FromMilliseconds(20);

    // The time of waiting over which the client's rate is measured: longer than a lost packet takes.
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(10);

    private readonly PipeWriter _response;
    private readonly TimeSpan _stallTimeout;
    private readonly TimeProvider _time;
    private readonly CancellationToken _cancellationToken;
    private readonly long _created;
    private readonly CancellationTokenSource _stall;
    private readonly CancellationTokenRegistration _cancelled;
    private readonly ITimer _rateTimer;
    private readonly long _minRate;
    private readonly Func<bool> _othersWait;
    private volatile bool _isCancelled;
    private volatile bool _isSlow;

    // The start of the window: bytes passed on, and the waiting time so far.
    private long _windowBytes;
    private TimeSpan _windowWaited;
    private TimeSpan _waited;
    private long _waitingSince;
    private Memory<byte> _memory;
    private int _room;
    private int _nextRoom = MinRoom;
    private long _keptUpFrom;
    private byte? _lastByte;

    /// <param name="response">The body of the response.</param>
    /// <param name="options">The timeout and the minimum rate.</param>
    /// <param name="othersWait">Whether other clients wait for this client's permit.</param>
    /// <param name="time">Measures the times.</param>
    /// <param name="cancellationToken">Cancels a waiting flush.</param>
    public ClientWriter(PipeWriter response, ClientOptions options, Func<bool> othersWait, TimeProvider time, CancellationToken cancellationToken)
    {
        _response = response;
        _stallTimeout = options.StallTimeout;
        _minRate = options.MinRate;
        _othersWait = othersWait;
        _time = time;
        _created = time.GetTimestamp();
        _rateTimer = time.CreateTimer(static writer => ((ClientWriter)writer!).CheckRate(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _cancellationToken = cancellationToken;
        _stall = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _cancelled = cancellationToken.UnsafeRegister(static writer => ((ClientWriter)writer!).Cancel(), this);
    }

    public long Bytes { get; private set; }

    /// <summary>When the first byte was written, from the creation of the writer; null if none was.</summary>
    public TimeSpan? FirstByte { get; private set; }

    /// <summary>
    /// The length of the body as declared in the headers, if it was remembered from an earlier run. Excess bytes are not passed on, and the last byte
    /// is sent only by <see cref="EndAsync"/>. So a wrong length never makes a part of an archive look complete.
    /// </summary>
    public long? ExpectedLength { get; set; }

    /// <summary>Whether the body was not as expected.</summary>
    public bool IsUnexpected { get; private set; }

    /// <summary>Time that flushes have waited, including one that waits now.</summary>
    public TimeSpan Waited => _waited + (Volatile.Read(ref _waitingSince) is > 0 and var since ? _time.GetElapsedTime(since) : default);

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

        FirstByte ??= _time.GetElapsedTime(_created);
        _response.Advance(bytes);
        _memory = _memory[bytes..];
        _room -= bytes;
        Bytes += bytes;
    }

    /// <inheritdoc/>
    /// <exception cref="ClientException">The client disconnected, or accepted nothing for the stall timeout.</exception>
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

    /// <summary>Ends the archive. It must have the expected length; then its last byte is sent.</summary>
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

    /// <summary>The failure of an archive that differs from what was remembered about it.</summary>
    public StorageException Unexpected()
    {
        IsUnexpected = true;
        return new StorageException(FailureReason.ArchiveChanged);
    }

    public override void CancelPendingFlush() => _response.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        // The server completes the response: its end distinguishes a complete archive from a truncated one.
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
        Volatile.Write(ref _waitingSince, started);
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
            Volatile.Write(ref _waitingSince, 0);
            _waited += waited;
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

    /// <summary>Checks the rate once the client has kept us waiting for a whole window, in one flush or in many.</summary>
    private void WatchRate()
    {
        if (_minRate == 0)
        {
            return;
        }

        var rest = RateWindow - (_waited - _windowWaited);
        if (rest <= TimeSpan.Zero)
        {
            BeginWindow(_waited);
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

        // The flush continues to wait; its waiting time so far belongs to the window that has ended.
        BeginWindow(_waited);
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
    /// The first cause counts: after our timer cancels a flush, the server closes the connection, so a stalled client
    /// also seems to have disconnected.
    /// </summary>
    private Exception Stopped() =>
        _isCancelled ? new OperationCanceledException(_cancellationToken)
        : _isSlow ? new ClientException(FailureReason.ClientStalled, $"The client accepts less than {_minRate} bytes per second while others wait.")
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
