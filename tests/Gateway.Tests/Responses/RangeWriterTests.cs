using System.Buffers;
using System.IO.Pipelines;
using Gateway.Responses;

namespace Gateway.Tests.Responses;

public class RangeWriterTests
{
    private static readonly byte[] Archive = [.. Enumerable.Range(0, 300).Select(i => (byte)i)];

    [Theory]
    [InlineData(0, 0L, null)]
    [InlineData(0, 0L, 300L)]
    [InlineData(0, 100L, null)]
    [InlineData(0, 100L, 200L)]
    [InlineData(0, 100L, 101L)]
    [InlineData(0, 299L, 300L)]
    [InlineData(50, 100L, 200L)]
    [InlineData(100, 100L, 200L)]
    public void Exactly_the_range_reaches_the_client_however_the_archive_is_written(int position, long from, long? end)
    {
        foreach (var chunk in new[] { 1, 7, 64, 300 })
        {
            var client = new Client();
            var writer = new RangeWriter(client, position, from, end);

            foreach (var part in Archive.Skip(position).Chunk(chunk))
            {
                part.CopyTo(writer.GetSpan(part.Length));
                writer.Advance(part.Length);
            }

            writer.Complete();
            Assert.Equal(Archive[(int)from..(int)(end ?? Archive.Length)], client.Bytes);
            Assert.Equal(Archive.Length, writer.Position);
            Assert.Equal(end is not null, writer.IsDone);
        }
    }

    [Fact]
    public void Nothing_but_the_range_is_asked_of_the_client_s_memory()
    {
        var client = new Client();
        var writer = new RangeWriter(client, 0, 100, 200);

        Write(writer, 100);
        Assert.Equal(0, client.Requested);
        Write(writer, 100);
        Assert.Equal(1, client.Requested);
        Write(writer, 100);

        Assert.Equal(1, client.Requested);
        Assert.Equal(100, client.Bytes.Length);
    }

    [Fact]
    public async Task Until_the_range_begins_nothing_is_flushed()
    {
        var client = new Client();
        var writer = new RangeWriter(client, 0, 100, null);

        Write(writer, 100);
        var before = await writer.FlushAsync();
        Assert.Equal(0, client.Flushes);
        Write(writer, 1);
        await writer.FlushAsync();

        Assert.Equal(1, client.Flushes);
        Assert.False(before.IsCompleted || before.IsCanceled);
    }

    [Fact]
    public async Task A_cancelled_flush_throws_even_before_the_range()
    {
        var writer = new RangeWriter(new Client(), 0, 100, null);

        await Assert.ThrowsAsync<OperationCanceledException>(() => writer.FlushAsync(new CancellationToken(canceled: true)).AsTask());
    }

    [Fact]
    public void It_is_done_with_the_last_byte_of_the_range_and_never_without_an_end()
    {
        var (bounded, open) = (new RangeWriter(new Client(), 0, 10, 20), new RangeWriter(new Client(), 0, 10, null));

        Write(bounded, 19);
        Write(open, 1000);
        Assert.False(bounded.IsDone);
        Write(bounded, 1);

        Assert.True(bounded.IsDone);
        Assert.False(open.IsDone);
    }

    [Fact]
    public void What_is_dropped_has_as_much_room_as_the_writer_wants()
    {
        var writer = new RangeWriter(new Client(), 0, long.MaxValue, null);

        Assert.True(writer.GetMemory().Length >= 64 * 1024);
        Assert.True(writer.GetMemory(1 << 20).Length >= 1 << 20);

        writer.Complete();
    }

    private static void Write(RangeWriter writer, int count)
    {
        writer.GetMemory(count);
        writer.Advance(count);
    }

    /// <summary>A client whose memory has exactly the requested size.</summary>
    private sealed class Client : PipeWriter
    {
        private readonly ArrayBufferWriter<byte> _buffer = new();

        public byte[] Bytes => _buffer.WrittenSpan.ToArray();

        public int Requested { get; private set; }

        public int Flushes { get; private set; }

        public override void Advance(int bytes) => _buffer.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            Requested++;
            return _buffer.GetMemory(sizeHint);
        }

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Flushes++;
            return default;
        }

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
