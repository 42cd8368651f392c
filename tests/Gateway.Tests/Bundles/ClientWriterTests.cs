using System.IO.Pipelines;
using Gateway.Bundles;
using Gateway.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Bundles;

public class ClientWriterTests
{
    private static readonly TimeSpan StallTimeout = TimeSpan.FromMinutes(5);

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 10, resumeWriterThreshold: 5));
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_client_that_takes_nothing_for_the_stall_time_out_is_given_up()
    {
        using var writer = new ClientWriter(_pipe.Writer, StallTimeout, _time, CancellationToken.None);
        writer.GetMemory(20);
        writer.Advance(20);
        var flush = writer.FlushAsync().AsTask();

        _time.Advance(StallTimeout - TimeSpan.FromSeconds(1));
        Assert.False(flush.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(Stage.Stall, (await Assert.ThrowsAsync<ClientException>(() => flush)).Stage);
        Assert.Equal(20, writer.Bytes);
    }

    [Fact]
    public async Task Time_between_flushes_does_not_count()
    {
        using var writer = new ClientWriter(_pipe.Writer, StallTimeout, _time, CancellationToken.None);
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
    public async Task A_client_that_has_left_is_noticed_at_the_next_flush()
    {
        using var writer = new ClientWriter(_pipe.Writer, StallTimeout, _time, CancellationToken.None);
        writer.GetMemory(1);
        writer.Advance(1);
        await _pipe.Reader.CompleteAsync();

        Assert.Equal(Stage.Gone, (await Assert.ThrowsAsync<ClientException>(async () => await writer.FlushAsync())).Stage);
    }

    [Fact]
    public async Task Cancelling_ends_a_flush_that_waits()
    {
        using var stop = new CancellationTokenSource();
        using var writer = new ClientWriter(_pipe.Writer, StallTimeout, _time, stop.Token);
        writer.GetMemory(20);
        writer.Advance(20);
        var flush = writer.FlushAsync().AsTask();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush);
    }
}
