using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Sources;
using Gateway.Storage.SubRequests;
using Gateway.Storage.Telemetry;

namespace Gateway.Storage.Objects;

/// <summary>
/// The body of one object, in one version, to its last byte. If storage breaks off or stalls, the reader requests the remainder.
/// The caller only notices a longer read, or an <see cref="StorageException"/> if the remainder cannot be read.
/// </summary>
/// <remarks>
/// Not thread-safe. It owns the current attempt, and a pooled buffer once the object has been read into memory
/// (<see cref="PrepareAsync"/>). Both are released when the last byte was read, or with <see cref="DisposeAsync"/>.
/// <see cref="ReleaseAsync"/> also releases the attempt; the next read makes another. The stall timer runs only while a read
/// waits, so a pausing client does not count against storage.
/// </remarks>
internal sealed partial class ObjectReader : IObjectReader
{
    public const int SkipBuffer = 64 * 1024;

    // An interruption after such a pause of ours is not a failure of the destination, even if buffered bytes are read first:
    // it gave up waiting for us.
    private static readonly TimeSpan OwnPause = TimeSpan.FromSeconds(1);

    // If only this much remains, storage has probably sent most or all of it already.
    private const int FewBytes = 256 * 1024;

    private readonly ObjectStore _store;
    private readonly ObjectRequest _request;
    private readonly ByteRange _part;
    private readonly TransferCounters _counters;
    private readonly CancellationToken _cancellationToken;

    private SubRequest? _attempt;
    private string? _destination;
    private int? _status;
    private DestinationTraffic? _traffic;
    private Stream _body;

    // The end of the response within the object, if that is before the end of what is read.
    private long? _responseEnd;
    private CancellationTokenSource _stall;
    private CancellationTokenRegistration _cancelled;
    private long _lastRead;
    private bool _hasPaused;

    // How long storage kept us waiting, how much it sent in that time, and how often in a row that was too little.
    private TimeSpan _waited;
    private long _waitedBytes;
    private int _slowInARow;
    private bool _isReleased;

    // The read position in the object at storage, and how many of the bytes that went to memory first have been read from there.
    private long _position;
    private int _delivered;

    public ObjectReader(
        ObjectStore store,
        ObjectRequest request,
        ObjectHead head,
        ByteRange part,
        TransferCounters counters,
        PartResponse response,
        CancellationToken cancellationToken)
    {
        _store = store;
        _request = request;
        _counters = counters;
        _cancellationToken = cancellationToken;
        Head = head;
        _part = part with { From = part.From - response.Skip };
        _position = _part.From;
        KnowsNoRanges = response.Skip > 0;
        Install(response);
    }

    public ObjectHead Head { get; private set; }

    /// <summary>The object's span, which ends with the reader; null if spans are not recorded.</summary>
    public Activity? Span { get; set; }

    /// <summary>Whether storage is known to ignore ranges and return the whole object.</summary>
    public bool KnowsNoRanges { get; private set; }

    // The end of what is read.
    private long? End => _ranges?.From ?? _part.End ?? Head.Size;

    public ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        if (_buffer is { } preloaded)
        {
            var length = (int)Math.Min(buffer.Length, _position - _delivered);
            preloaded.AsMemory(_delivered, length).CopyTo(buffer);
            _delivered += length;
            return new(length);
        }

        return _ranges is { } ranges && _position == ranges.From ? new(ReadRangesAsync(ranges, buffer)) : ReadBodyAsync(buffer);
    }

    public void Note(StorageException failure) => failure.Note(_destination, _status);

    public async ValueTask ReleaseAsync()
    {
        if (_attempt is { IsRemote: true } attempt
            && _buffer is null
            && Head is { ETag: not null, Size: { } size }
            && (_part.End ?? size) - _position > FewBytes
            && !KnowsNoRanges
            && !string.Equals(attempt.Headers.AcceptRanges.ToString(), "none", StringComparison.OrdinalIgnoreCase))
        {
            _isReleased = true;
            await CloseAsync();
        }
    }

    public void PauseReading() => _attempt?.PauseReading();

    public void ResumeReading() => _attempt?.ResumeReading();

    public async ValueTask DisposeAsync()
    {
        await StopRangesAsync();
        await CloseAsync();
        ReturnBuffer();
        Span?.Dispose();
    }

    private ValueTask<int> ReadBodyAsync(Memory<byte> buffer)
    {
        if (End is { } end)
        {
            if (_position == end)
            {
                return new(EndAsync());
            }

            buffer = AtMost(buffer, end - _position);
            if (_position == _responseEnd)
            {
                return new(ContinueAsync(buffer));
            }

            buffer = AtMost(buffer, (_responseEnd ?? end) - _position);
        }

        if (_isReleased)
        {
            CountResume();
            return new(ContinueAsync(buffer));
        }

        _hasPaused |= _store.Time.GetElapsedTime(_lastRead) > OwnPause;
        var read = StartRead(buffer);
        if (!read.IsCompletedSuccessfully)
        {
            return new(WaitAsync(read, buffer));
        }

        var count = read.Result;
        return count > 0 ? new(Took(count)) : new(WaitAsync(new(count), buffer));
    }

    /// <summary>A chunked stream throws immediately if an invalid chunk has already arrived.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever the exception, the remainder is requested or the failure reported.")]
    private ValueTask<int> StartRead(Memory<byte> buffer)
    {
        try
        {
            return _body.ReadAsync(buffer, _stall.Token);
        }
        catch (Exception exception)
        {
            return ValueTask.FromException<int>(exception);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the exception, the remainder is requested or the failure reported.")]
    private async Task<int> WaitAsync(ValueTask<int> read, Memory<byte> buffer)
    {
        Exception? exception = null;
        try
        {
            var count = await AwaitAsync(read);
            if (count > 0)
            {
                return Took(count);
            }

            if (Head.Size is null)
            {
                await CloseAsync();
                return 0;
            }
        }
        catch (Exception e)
        {
            exception = e;
        }

        return await ResumeAsync(await BrokenAsync(exception), buffer);
    }

    /// <summary>Waits for a read, at most for the stall timeout.</summary>
    private async Task<int> AwaitAsync(ValueTask<int> read)
    {
        if (read.IsCompleted)
        {
            return await read;
        }

        var started = _store.Time.GetTimestamp();
        _stall.CancelAfter(_store.Options.StallTimeout);
        var count = await read;
        _stall.CancelAfter(Timeout.InfiniteTimeSpan);
        if (_store.Options.MinRate > 0 && count > 0)
        {
            RequireRate(_store.Time.GetElapsedTime(started), count);
        }

        return count;
    }

    /// <summary>While storage keeps us waiting, every <see cref="UpstreamOptions.StallTimeout"/> of waiting must yield enough bytes.</summary>
    /// <exception cref="StorageException">It did not.</exception>
    private void RequireRate(TimeSpan waited, int count)
    {
        _waited += waited;
        _waitedBytes += count;
        if (_waited >= _store.Options.StallTimeout)
        {
            var isSlow = _waitedBytes < _store.Options.MinRate * _waited.TotalSeconds;
            (_waited, _waitedBytes, _slowInARow) = (TimeSpan.Zero, 0, isSlow ? _slowInARow + 1 : 0);
            if (isSlow)
            {
                throw new StorageException(FailureReason.BodySlow, $"Storage sent less than {_store.Options.MinRate} bytes per second.");
            }
        }
    }

    /// <summary>All declared bytes were read: verifies that there are no more, and frees the connection.</summary>
    private async Task<int> EndAsync()
    {
        // A body with Content-Length ends by itself; any other must show its end, if the end was requested.
        if (_attempt is { } attempt && attempt.Headers.ContentLength is null && (_part.End ?? Head.Size) == Head.Size)
        {
            int more;
            try
            {
                more = await AwaitAsync(_body.ReadAsync(new byte[1], _stall.Token));
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException or OperationCanceledException)
            {
                throw await BrokenAsync(exception);
            }

            if (more > 0)
            {
                throw new StorageException(FailureReason.SizeDiffers, $"Storage sends more than the {Head.Size} declared bytes.");
            }
        }

        await CloseAsync();
        return 0;
    }

    private static Memory<byte> AtMost(Memory<byte> buffer, long length) => length < buffer.Length ? buffer[..(int)length] : buffer;

    private int Took(int count)
    {
        _position += count;
        _lastRead = _store.Time.GetTimestamp();
        _counters.CountBytes(count);
        _traffic?.CountBytes(count);
        return count;
    }

    private void CountResume()
    {
        _counters.CountResume();
        _traffic?.CountResume();
        Span?.AddEvent(new("resumed"));
    }

    [MemberNotNull(nameof(_body), nameof(_stall))]
    private void Install(PartResponse response)
    {
        _attempt = response.Attempt;
        (_destination, _status, _traffic) = (_attempt.DestinationId, _attempt.ReceivedStatusCode, _attempt.Traffic);
        _body = response.Body;
        _responseEnd = response.End;
        _lastRead = _store.Time.GetTimestamp();
        _hasPaused = false;
        _isReleased = false;
        _stall = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _store.Time);
        _cancelled = _cancellationToken.UnsafeRegister(static stall => ((CancellationTokenSource)stall!).Cancel(), _stall);
    }

    private async ValueTask CloseAsync()
    {
        if (_attempt is { } attempt)
        {
            _attempt = null;
            await attempt.DisposeAsync();
            await _cancelled.DisposeAsync();
            _stall.Dispose();
        }
    }
}

/// <summary>A response with the remainder of an object, or with a part of it.</summary>
/// <param name="Attempt">The attempt it belongs to.</param>
/// <param name="Body">Its body.</param>
/// <param name="Skip">Bytes of the body that precede the requested range.</param>
/// <param name="End">The end of the body within the object (exclusive), if that is before the requested end; otherwise null.</param>
internal sealed record PartResponse(SubRequest Attempt, Stream Body, long Skip, long? End);
