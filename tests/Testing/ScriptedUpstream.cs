using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Testing;

/// <summary>An object of the <see cref="ScriptedUpstream"/>.</summary>
internal sealed record ScriptedObject(ObjectContent Content, string? ETag)
{
    public DateTimeOffset Modified { get; init; } = new(2026, 1, 2, 3, 4, 6, TimeSpan.Zero);

    /// <summary>Additional header lines.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();
}

/// <summary>A request as received.</summary>
internal sealed record ScriptedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>A response that is not an object.</summary>
internal sealed record ScriptedResponse(int Status, byte[] Body)
{
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Body bytes that are sent before the end; null: all.</summary>
    public long? After { get; init; }

    public Ending Ending { get; init; } = Ending.None;

    public static ScriptedResponse Xml(int status, string body) =>
        new(status, Encoding.UTF8.GetBytes(body)) { Headers = new Dictionary<string, string> { ["Content-Type"] = "application/xml" } };
}

/// <summary>
/// A storage server on a real socket that does inside a body what no mocking library can: cut, stall, reset, send wrong data. It counts the
/// faults that it delivered, so that none is skipped silently.
/// </summary>
internal sealed class ScriptedUpstream : IAsyncDisposable
{
    private const int MaxHead = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ScriptedObject> _objects = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Fault>> _faults = new();
    private readonly ConcurrentQueue<ScriptedRequest> _requests = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly Task _accepting;
    private long _bodyBytes;
    private int _delivered;
    private int _open;
    private int _answering;
    private long _lastClosed;
    private readonly Queue<long> _served = new();
    private int _serving;
    private int _waiting;
    private int _maxAtOnce;
    private int _refused;
    private int _accepted;
    private int _dead;
    private Ending _death;

    public ScriptedUpstream()
    {
        _listener.Start(512);
        Address = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/";
        _accepting = AcceptAsync();
    }

    public string Address { get; }

    public IReadOnlyCollection<ScriptedRequest> Requests => _requests;

    /// <summary>Faults that were actually delivered.</summary>
    public int FaultsDelivered => Volatile.Read(ref _delivered);

    /// <summary>Body bytes passed to the kernel.</summary>
    public long BodyBytes => Volatile.Read(ref _bodyBytes);

    public int OpenConnections => Volatile.Read(ref _open);

    /// <summary>Requests whose response has not ended yet.</summary>
    public int Answering => Volatile.Read(ref _answering);

    /// <summary>Timestamp at which a connection was last seen closed.</summary>
    public long LastClosed => Volatile.Read(ref _lastClosed);

    /// <summary>Send buffer of each connection, so that little of what is sent stays in the kernel; null: the system's default.</summary>
    public int? SendBuffer { get; init; }

    /// <summary>Answers a request before faults and objects are looked at; null: none is answered so.</summary>
    public Func<ScriptedRequest, ScriptedResponse?>? Intercept { get; set; }

    /// <summary>Answers a request instead of its object, which is null if there is none; after faults have been looked at.</summary>
    public Func<ScriptedRequest, ScriptedObject?, ScriptedResponse?>? Refuse { get; set; }

    /// <summary>Changes the response headers of an object for one request.</summary>
    public Func<ScriptedRequest, ScriptedObject, IReadOnlyDictionary<string, string>>? SelectHeaders { get; set; }

    /// <summary>Respond with a range even if <c>If-Range</c> names another version, as most object stores do.</summary>
    public bool IgnoresIfRange { get; set; }

    /// <summary>How it throttles its clients; null: not at all.</summary>
    public Throttle? Throttle { get; init; }

    /// <summary>The fault for requests that no other fault applies to; null: none.</summary>
    public Func<ScriptedRequest, Fault?>? Chaos { get; init; }

    /// <summary>Requests that were rejected because of <see cref="Throttle"/>.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>The maximum number of requests that waited for their response at the same time. While a response is sent, its client may already have the end of it.</summary>
    public int MaxAtOnce => Volatile.Read(ref _maxAtOnce);

    /// <summary>Maximum bytes in a response to a range request; null: all.</summary>
    public long? MaxPart { get; init; }

    /// <summary>The status of every response to a range request; null: the correct one.</summary>
    public int? RangeStatus { get; init; }

    /// <summary>Requests that a connection serves; the next one gets no response but is reset, closed or ignored. Null: any number.</summary>
    public (int Requests, Ending Ending)? ConnectionLimit { get; init; }

    /// <summary>Connections accepted so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>How long a peer may read nothing before its connection is reset, as storage servers do; null: no limit.</summary>
    public TimeSpan? SendTimeout { get; init; }

    public ScriptedObject Put(string path, ObjectContent content, string? etag = "\"v1\"") => _objects[path] = new ScriptedObject(content, etag);

    /// <summary>An object with additional response headers.</summary>
    public byte[] Put(string path, int size, int seed, params (string Name, string Value)[] headers)
    {
        var content = new ObjectContent(size, seed);
        _objects[path] = new ScriptedObject(content, $"\"v{seed}-{size}\"") { Headers = headers.ToDictionary(header => header.Name, header => header.Value) };
        return content.ToArray();
    }

    /// <summary>An object of these bytes.</summary>
    public void Put(string path, byte[] bytes, string? etag, params (string Name, string Value)[] headers) =>
        _objects[path] = new ScriptedObject(ObjectContent.Of(bytes), etag) { Headers = headers.ToDictionary(header => header.Name, header => header.Value) };

    public byte[] Put(string path, int size, int seed, bool compressible = true)
    {
        var content = new ObjectContent(size, seed, compressible);
        Put(path, content, $"\"v{seed}-{size}\"");
        return content.ToArray();
    }

    /// <summary>The object at a path, which is written as on the wire.</summary>
    public ScriptedObject? Find(string path) => _objects.GetValueOrDefault(path);

    /// <summary>All objects by their paths.</summary>
    public IReadOnlyCollection<KeyValuePair<string, ScriptedObject>> Objects => _objects.ToArray();

    public void Put(string path, ScriptedObject stored) => _objects[path] = stored;

    public void Delete(string path) => _objects.TryRemove(path, out _);

    /// <summary>The bytes of an object.</summary>
    public byte[] Bytes(string path) => _objects[path].Content.ToArray();

    /// <summary>The next request on any existing connection gets no response.</summary>
    public void KillConnections(Ending ending)
    {
        _death = ending;
        Volatile.Write(ref _dead, Accepted);
    }

    public void Fail(string path, params Fault[] faults)
    {
        var queue = _faults.GetOrAdd(path, _ => new());
        foreach (var fault in faults)
        {
            for (var i = 0; i < fault.Times; i++)
            {
                queue.Enqueue(fault);
            }
        }
    }

    /// <summary>Faults that no request has met yet.</summary>
    public int FaultsLeft => _faults.Values.Sum(queue => queue.Count);

    /// <summary>Another server with the same objects and no faults.</summary>
    public ScriptedUpstream WithoutFaults()
    {
        var other = new ScriptedUpstream();
        foreach (var (path, stored) in _objects)
        {
            other._objects[path] = stored;
        }

        return other;
    }

    public async ValueTask DisposeAsync()
    {
        // By now every client has read the response or disconnected.
        await Eventually.TrueAsync(() => Answering == 0, "every response has ended");
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                var connection = ServeAsync(socket);
                _connections.TryAdd(connection, 0);
                _ = connection.ContinueWith(done => _connections.TryRemove(done, out _), TaskScheduler.Default);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        Interlocked.Increment(ref _open);
        var number = Interlocked.Increment(ref _accepted);
        var served = 0;
        socket.NoDelay = true;
        if (SendBuffer is { } size)
        {
            socket.SendBufferSize = size;
        }

        try
        {
            var buffered = new List<byte>();
            while (await ReadHeadAsync(socket, buffered) is { } request)
            {
                if (number <= Volatile.Read(ref _dead))
                {
                    await EndAsync(socket, _death);
                    break;
                }

                if (ConnectionLimit is { } limit && served++ == limit.Requests)
                {
                    await EndAsync(socket, limit.Ending);
                    break;
                }

                _requests.Enqueue(request);
                Interlocked.Increment(ref _answering);
                try
                {
                    if (!await AnswerWithinLimitsAsync(socket, request))
                    {
                        break;
                    }
                }
                finally
                {
                    Interlocked.Decrement(ref _answering);
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer disconnected or the test is over.
        }
        finally
        {
            socket.Dispose();
            Volatile.Write(ref _lastClosed, TimeProvider.System.GetTimestamp());
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<ScriptedRequest?> ReadHeadAsync(Socket socket, List<byte> buffered)
    {
        var chunk = new byte[4096];
        while (true)
        {
            var text = Encoding.Latin1.GetString(buffered.ToArray());
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                buffered.RemoveRange(0, end + 4);
                var lines = text[..end].Split("\r\n");
                var first = lines[0].Split(' ');
                return new ScriptedRequest(first[0], first[1], lines.Skip(1).Select(line => line.Split(": ", 2))
                    .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase));
            }

            var read = await socket.ReceiveAsync(chunk, _stop.Token);
            if (read == 0 || buffered.Count > MaxHead)
            {
                return null;
            }

            buffered.AddRange(chunk.AsSpan(0, read));
        }
    }

    private async Task<bool> AnswerWithinLimitsAsync(Socket socket, ScriptedRequest request)
    {
        if (Throttle is not { } throttle)
        {
            return await AnswerAsync(socket, request);
        }

        if (!TryServe(throttle))
        {
            Interlocked.Increment(ref _refused);
            var retryAfter = throttle.RetryAfter is null ? "" : $"Retry-After: {throttle.RetryAfter}\r\n";
            await SendAsync(socket, Encoding.Latin1.GetBytes($"HTTP/1.1 {throttle.Status} X\r\n{retryAfter}Content-Length: 0\r\n\r\n"));
            return true;
        }

        try
        {
            if (throttle.Latency > TimeSpan.Zero)
            {
                using var timer = new PeriodicTimer(throttle.Latency);
                await timer.WaitForNextTickAsync(_stop.Token);
            }

            Interlocked.Decrement(ref _waiting);
            return await AnswerAsync(socket, request);
        }
        finally
        {
            Interlocked.Decrement(ref _serving);
        }
    }

    private bool TryServe(Throttle throttle)
    {
        lock (_served)
        {
            var now = TimeProvider.System.GetTimestamp();
            while (_served.TryPeek(out var oldest) && TimeProvider.System.GetElapsedTime(oldest, now) > TimeSpan.FromSeconds(1))
            {
                _served.Dequeue();
            }

            if (_serving >= throttle.MaxAtOnce || _served.Count >= throttle.MaxPerSecond)
            {
                return false;
            }

            _served.Enqueue(now);
            _serving++;
            _maxAtOnce = Math.Max(_maxAtOnce, Interlocked.Increment(ref _waiting));
            return true;
        }
    }

    /// <summary>Whether the connection can take another request.</summary>
    private async Task<bool> AnswerAsync(Socket socket, ScriptedRequest request)
    {
        if (Intercept?.Invoke(request) is { } answer)
        {
            return await SendAsync(socket, request, answer);
        }

        var fault = TakeFault(request) ?? Chaos?.Invoke(request);
        if (fault?.Swap is { } other)
        {
            _objects[request.Path] = other;
        }

        if (fault is { Head: null, Status: null, After: < 0 })
        {
            return await EndAsync(socket, fault.Ending);
        }

        var exists = _objects.TryGetValue(request.Path, out var stored);
        if (fault is not { Status: not null } and not { Head: not null } && Refuse?.Invoke(request, stored) is { } refusal)
        {
            return await SendAsync(socket, request, refusal);
        }

        var status = fault?.Status ?? (request.Header("Range") is null ? null : RangeStatus) ?? (exists ? 200 : 404);
        var (from, length) = (0L, status == 200 && exists ? stored!.Content.Size : 0);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (status == 200)
        {
            headers["Last-Modified"] = stored!.Modified.ToString("R", CultureInfo.InvariantCulture);
            if (stored.ETag is not null)
            {
                headers["ETag"] = stored.ETag;
            }

            foreach (var (name, value) in SelectHeaders?.Invoke(request, stored) ?? stored.Headers)
            {
                headers[name] = value;
            }

            if (fault?.IgnoreRange != true
                && request.Header("Range") is { } range
                && (IgnoresIfRange || request.Header("If-Range") is not { } condition || condition == stored.ETag))
            {
                var bounds = range["bytes=".Length..].Split('-');
                from = bounds[0].Length > 0 ? long.Parse(bounds[0], CultureInfo.InvariantCulture) : Math.Max(0, length - long.Parse(bounds[1], CultureInfo.InvariantCulture));
                var last = bounds is [not "", not ""] ? long.Parse(bounds[1], CultureInfo.InvariantCulture) : length - 1;
                last = Math.Min(Math.Min(last, length - 1), from + (fault?.MaxPart ?? MaxPart ?? long.MaxValue / 2) - 1);
                length = last + 1 - from;
                status = 206;
                headers["Content-Range"] = $"bytes {from}-{last}/{stored.Content.Size}";
            }
        }

        var chunked = fault?.Chunked == true;
        headers[chunked ? "Transfer-Encoding" : "Content-Length"] = chunked ? "chunked" : length.ToString(CultureInfo.InvariantCulture);
        foreach (var (name, value) in fault?.Headers ?? new Dictionary<string, string>())
        {
            headers[name] = value;
        }

        foreach (var name in fault?.Without ?? [])
        {
            headers.Remove(name);
        }

        var head = fault?.Head ?? $"HTTP/1.1 {status} X\r\n{string.Concat(headers.Select(pair => $"{pair.Key}: {pair.Value}\r\n"))}\r\n";
        await SendAsync(socket, Encoding.Latin1.GetBytes(head));
        if (request.Method != "HEAD")
        {
            await SendBodyAsync(socket, stored, from, Math.Min(length, fault?.After ?? long.MaxValue), chunked);
            if (fault?.Trickle is { } pause)
            {
                await TrickleAsync(socket, stored!, from + fault.After!.Value, from + length, pause);
            }

            if (fault is { Extra: > 0 })
            {
                await SendAsync(socket, new byte[fault.Extra]);
            }

            if (chunked && fault!.Ending == Ending.None)
            {
                await SendAsync(socket, "0\r\n\r\n"u8.ToArray());
            }
        }

        return fault is not { Ending: not Ending.None } || await EndAsync(socket, fault.Ending);
    }

    private Fault? TakeFault(ScriptedRequest request)
    {
        if (_faults.TryGetValue(request.Path, out var queue)
            && queue.TryPeek(out var fault)
            && fault.Method == request.Method
            && (fault.Range is null || fault.Range == request.Header("Range"))
            && queue.TryDequeue(out fault))
        {
            Interlocked.Increment(ref _delivered);
            return fault;
        }

        return null;
    }

    private async Task SendBodyAsync(Socket socket, ScriptedObject? stored, long offset, long length, bool chunked)
    {
        var buffer = new byte[64 * 1024];
        for (var end = offset + length; offset < end;)
        {
            var count = (int)Math.Min(buffer.Length, end - offset);
            stored!.Content.Read(offset, buffer.AsSpan(0, count));
            if (chunked)
            {
                await SendAsync(socket, Encoding.ASCII.GetBytes($"{count:x}\r\n"));
            }

            await SendAsync(socket, buffer.AsMemory(0, count));
            if (chunked)
            {
                await SendAsync(socket, "\r\n"u8.ToArray());
            }

            Interlocked.Add(ref _bodyBytes, count);
            offset += count;
        }
    }

    /// <summary>Whether the connection can take another request.</summary>
    private async Task<bool> SendAsync(Socket socket, ScriptedRequest request, ScriptedResponse response)
    {
        var headers = string.Concat(response.Headers.Select(pair => $"{pair.Key}: {pair.Value}\r\n"));
        await SendAsync(socket, Encoding.Latin1.GetBytes($"HTTP/1.1 {response.Status} X\r\n{headers}Content-Length: {response.Body.Length}\r\n\r\n"));
        if (request.Method != "HEAD")
        {
            await SendAsync(socket, response.Body.AsMemory(0, (int)Math.Min(response.Body.Length, response.After ?? int.MaxValue)));
        }

        return response.Ending == Ending.None || await EndAsync(socket, response.Ending);
    }

    private async Task TrickleAsync(Socket socket, ScriptedObject stored, long offset, long end, TimeSpan pause)
    {
        using var timer = new PeriodicTimer(pause);
        for (var bytes = new byte[1]; offset < end; offset++)
        {
            await timer.WaitForNextTickAsync(_stop.Token);
            stored.Content.Read(offset, bytes);
            await SendAsync(socket, bytes);
        }
    }

    private async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(SendTimeout ?? Timeout.InfiniteTimeSpan);
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await socket.SendAsync(bytes, patience.Token)..];
            }
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            Interlocked.Increment(ref _delivered);
            socket.LingerState = new LingerOption(true, 0);
            throw;
        }
    }

    private async Task<bool> EndAsync(Socket socket, Ending ending)
    {
        switch (ending)
        {
            case Ending.Reset:
                socket.LingerState = new LingerOption(true, 0);
                return false;
            case Ending.Stall:
                // Until the peer closes or the test ends.
                while (await socket.ReceiveAsync(new byte[1], _stop.Token) > 0)
                {
                }

                return false;
            default:
                return false;
        }
    }
}
