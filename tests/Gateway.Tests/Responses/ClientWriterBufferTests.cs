using System.IO.Pipelines;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Responses;

/// <summary>How much memory a client gets, and what is counted.</summary>
public sealed class ClientWriterBufferTests : IDisposable
{
    private const int Small = 16 * 1024;
    private const int Large = 260 * 1024;
    private const int Framing = 64;

    private readonly FakeTimeProvider _time = new();
    private readonly Response _response = new();
    private readonly ClientWriter _writer;

    public ClientWriterBufferTests() => _writer = new ClientWriter(_response, new ClientOptions(), () => false, _time, CancellationToken.None);

    public void Dispose() => _writer.Dispose();

    [Fact]
    public void A_new_client_gets_little_memory()
    {
        _writer.GetMemory();

        Assert.Equal(Small - Framing, _response.LastHint);
    }

    [Fact]
    public void A_writer_gets_at_least_what_it_asks_for()
    {
        _writer.GetMemory(100_000);

        Assert.Equal(100_000, _response.LastHint);
    }

    [Fact]
    public void What_remains_of_a_buffer_is_used_before_a_new_one()
    {
        _writer.GetMemory();
        _writer.Advance(1000);
        _writer.GetMemory();

        Assert.Equal(Small - Framing - 1000, _response.LastHint);
    }

    [Fact]
    public async Task A_client_that_keeps_up_gets_more_and_more_up_to_two_blocks()
    {
        await SendAsync(128 * Small);
        Assert.Equal(Small - Framing, GetRoom());

        await SendAsync(Small);
        Assert.Equal((2 * Small) - Framing, GetRoom());
        await SendAsync(128 * 1024 * 1024);

        Assert.Equal(Large - Framing, GetRoom());
    }

    [Fact]
    public async Task A_client_that_keeps_the_gateway_waiting_gets_little_again()
    {
        await SendAsync(129 * Small);
        Assert.Equal((2 * Small) - Framing, GetRoom());

        await WaitAsync(TimeSpan.FromMilliseconds(20));

        Assert.Equal(Small - Framing, GetRoom());
    }

    [Fact]
    public async Task A_wait_that_is_too_short_to_matter_costs_no_memory_but_is_counted()
    {
        await SendAsync(129 * Small);

        await WaitAsync(TimeSpan.FromMilliseconds(19));

        Assert.Equal((2 * Small) - Framing, GetRoom());
        Assert.Equal(TimeSpan.FromMilliseconds(19), _writer.Waited);
    }

    [Fact]
    public async Task Waits_add_up_and_bytes_are_counted_once()
    {
        await WaitAsync(TimeSpan.FromSeconds(2));
        await WaitAsync(TimeSpan.FromSeconds(3));

        Assert.Equal(TimeSpan.FromSeconds(5), _writer.Waited);
        Assert.Equal(2, _writer.Bytes);
    }

    [Fact]
    public async Task Nothing_can_be_written_after_the_last_expected_byte()
    {
        _writer.ExpectedLength = 1;
        _writer.GetMemory(2);
        _writer.Advance(1);
        _writer.Advance(0);
        Assert.Equal(0, _writer.Bytes);

        var failure = Assert.Throws<StorageException>(() => _writer.Advance(1));

        Assert.Equal(FailureReason.ArchiveChanged, failure.Reason);
        Assert.True(_writer.IsUnexpected);
        Assert.Equal(0, _response.Written);
        await _writer.CompleteAsync();
    }

    [Fact]
    public async Task Without_an_expected_length_the_end_sends_nothing()
    {
        _writer.GetMemory(1);
        _writer.Advance(1);

        await _writer.EndAsync();

        Assert.Equal((1L, 1L, false), (_writer.Bytes, _response.Written, _writer.IsUnexpected));
    }

    [Fact]
    public void Completing_the_writer_leaves_the_response_to_the_server()
    {
        _writer.Complete(new IOException());

        Assert.False(_response.IsCompleted);
    }

    [Fact]
    public async Task A_flush_that_the_server_cancels_means_that_the_client_has_gone()
    {
        _response.Result = new FlushResult(isCanceled: true, isCompleted: false);

        Assert.Equal(FailureReason.ClientGone, (await Assert.ThrowsAsync<ClientException>(() => _writer.FlushAsync().AsTask())).Reason);
    }

    private int GetRoom()
    {
        // Of an empty buffer nothing remains, so the writer requests a new one.
        _response.EndBuffer();
        _writer.GetSpan();
        _writer.GetMemory();
        return _response.LastHint;
    }

    private async Task SendAsync(long bytes)
    {
        for (var rest = bytes; rest > 0;)
        {
            var memory = _writer.GetMemory();
            var count = (int)Math.Min(rest, memory.Length);
            _writer.Advance(count);
            rest -= count;
            await _writer.FlushAsync();
        }
    }

    private async Task WaitAsync(TimeSpan time)
    {
        _response.Pending = new TaskCompletionSource<FlushResult>();
        _writer.GetMemory();
        _writer.Advance(1);
        var flush = _writer.FlushAsync();
        _time.Advance(time);
        _response.Pending.SetResult(default);
        _response.Pending = null;
        await flush;
    }

    /// <summary>A response that returns buffers of exactly the requested size, and remembers what was requested.</summary>
    private sealed class Response : PipeWriter
    {
        private readonly byte[] _buffer = new byte[1 << 20];

        public int LastHint { get; private set; }

        public long Written { get; private set; }

        public bool IsCompleted { get; private set; }

        public FlushResult Result { get; set; }

        public TaskCompletionSource<FlushResult>? Pending { get; set; }

        private bool _isEnded;

        public void EndBuffer() => _isEnded = true;

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (_isEnded)
            {
                _isEnded = false;
                return Memory<byte>.Empty;
            }

            LastHint = sizeHint;
            return _buffer.AsMemory(0, sizeHint);
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes) => Written += bytes;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => Pending is { } pending ? new(pending.Task) : new(Result);

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null) => IsCompleted = true;
    }
}
