using System.IO.Pipelines;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Responses;

public class ClientWriterTests
{
    private static readonly TimeSpan StallTimeout = TimeSpan.FromMinutes(5);

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 10, resumeWriterThreshold: 5));
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_client_that_reads_nothing_for_the_stall_timeout_is_aborted()
    {
        using var writer = Create(CancellationToken.None);
        writer.GetMemory(20);
        writer.Advance(20);
        var flush = writer.FlushAsync().AsTask();

        _time.Advance(StallTimeout - TimeSpan.FromSeconds(1));
        Assert.False(flush.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(FailureReason.ClientStalled, (await Assert.ThrowsAsync<ClientException>(() => flush)).Reason);
        Assert.Equal(20, writer.Bytes);
    }

    [Fact]
    public async Task Time_between_flushes_does_not_count()
    {
        using var writer = Create(CancellationToken.None);
        for (var i = 0; i < 3; i++)
        {
            writer.GetMemory(20);
            writer.Advance(20);
            var flush = writer.FlushAsync().AsTask();
            _pipe.Reader.AdvanceTo((await _pipe.Reader.ReadAsync()).Buffer.End);
            await flush;
            _time.Advance(2 * StallTimeout);
        }
    }

    [Fact]
    public async Task A_client_that_has_disconnected_is_detected_at_the_next_flush()
    {
        using var writer = Create(CancellationToken.None);
        writer.GetMemory(1);
        writer.Advance(1);
        await _pipe.Reader.CompleteAsync();

        Assert.Equal(FailureReason.ClientGone, (await Assert.ThrowsAsync<ClientException>(async () => await writer.FlushAsync())).Reason);
    }

    [Fact]
    public async Task Cancellation_ends_a_waiting_flush()
    {
        using var stop = new CancellationTokenSource();
        using var writer = Create(stop.Token);
        writer.GetMemory(20);
        writer.Advance(20);
        var flush = writer.FlushAsync().AsTask();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush);
    }

    [Theory]
    [InlineData(10, true, true)]
    [InlineData(10, false, false)]
    [InlineData(1, true, false)]
    [InlineData(0, true, false)]
    public async Task A_client_below_the_minimum_rate_is_cut_while_others_wait(long minRate, bool othersWait, bool isCut)
    {
        using var writer = Create(CancellationToken.None, minRate, othersWait);
        writer.GetMemory(20);
        writer.Advance(20);
        var flush = writer.FlushAsync().AsTask();

        _time.Advance(TimeSpan.FromSeconds(10));

        if (isCut)
        {
            var failure = await Assert.ThrowsAsync<ClientException>(() => flush);
            Assert.Equal("The client accepts less than 10 bytes per second while others wait.", failure.Message);
            return;
        }

        Assert.False(flush.IsCompleted);
        _pipe.Reader.AdvanceTo((await _pipe.Reader.ReadAsync()).Buffer.End);
        await flush;
    }

    [Fact]
    public async Task Many_short_waits_count_as_one_long_one_and_a_client_above_the_rate_is_never_cut()
    {
        using var writer = Create(CancellationToken.None, minRate: 10, othersWait: true);
        for (var i = 0; i < 50; i++)
        {
            writer.GetMemory(20);
            writer.Advance(20);
            var flush = writer.FlushAsync().AsTask();
            _time.Advance(TimeSpan.FromSeconds(1));
            _pipe.Reader.AdvanceTo((await _pipe.Reader.ReadAsync()).Buffer.End);
            await flush;
        }
    }

    [Fact]
    public async Task A_client_whose_short_waits_add_up_below_the_rate_is_cut()
    {
        using var writer = Create(CancellationToken.None, minRate: 100, othersWait: true);

        await Assert.ThrowsAsync<ClientException>(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                writer.GetMemory(20);
                writer.Advance(20);
                var flush = writer.FlushAsync().AsTask();
                _time.Advance(TimeSpan.FromSeconds(1));
                _pipe.Reader.AdvanceTo((await _pipe.Reader.ReadAsync()).Buffer.End);
                await flush;
            }
        });
    }

    private ClientWriter Create(CancellationToken cancellationToken, long minRate = 0, bool othersWait = false) =>
        new(_pipe.Writer, new ClientOptions { StallTimeout = StallTimeout, MinRate = minRate }, () => othersWait, _time, cancellationToken);

    [Fact]
    public async Task The_last_byte_of_an_expected_length_waits_for_the_end_of_the_archive()
    {
        using var writer = Create(CancellationToken.None);
        writer.ExpectedLength = 5;
        "01234"u8.CopyTo(writer.GetSpan(5));
        writer.Advance(3);
        writer.Advance(2);
        await writer.FlushAsync();
        Assert.Equal("0123"u8.ToArray(), await ReadAsync());
        Assert.Equal(4, writer.Bytes);

        await writer.EndAsync();

        Assert.Equal("4"u8.ToArray(), await ReadAsync());
        Assert.Equal(5, writer.Bytes);
        Assert.False(writer.IsUnexpected);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public async Task A_body_that_is_not_as_long_as_expected_never_has_all_its_bytes(int length)
    {
        using var writer = Create(CancellationToken.None);
        writer.ExpectedLength = 5;

        var failure = await Assert.ThrowsAsync<StorageException>(async () =>
        {
            for (var i = 0; i < length; i++)
            {
                writer.GetSpan(1)[0] = (byte)i;
                writer.Advance(1);
                await writer.FlushAsync();
            }

            await writer.EndAsync();
        });

        Assert.Equal(FailureReason.ArchiveChanged, failure.Reason);
        Assert.True(writer.IsUnexpected);
        Assert.Equal([0, 1, 2, 3], await ReadAsync());
    }

    private async Task<byte[]> ReadAsync()
    {
        var result = await _pipe.Reader.ReadAsync();
        var bytes = System.Buffers.BuffersExtensions.ToArray(result.Buffer);
        _pipe.Reader.AdvanceTo(result.Buffer.End);
        return bytes;
    }
}
