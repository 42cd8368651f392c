using System.Collections.Concurrent;
using Gateway.Storage.Failures;
using Gateway.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Telemetry;

public class StoreLogTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Sink _sink = new();

    [Fact]
    public void What_an_operator_has_to_mend_is_logged_with_its_detail()
    {
        var log = new StoreLog(_sink, _time);

        log.Note("media", new StorageException(FailureReason.NoCredential) { LogDetail = "The file is empty." });

        Assert.Equal(["Error: Store media cannot be used: NoCredential: The gateway has no credential for storage. The file is empty."], _sink.Lines);
    }

    [Fact]
    public void Other_failures_are_part_of_the_line_of_their_request()
    {
        var log = new StoreLog(_sink, _time);

        log.Note("media", new StorageException(FailureReason.NotFound));
        log.Note("media", new StorageException(FailureReason.Archived));

        Assert.Empty(_sink.Lines);
    }

    [Fact]
    public void A_reason_is_logged_at_most_every_thirty_seconds()
    {
        var log = new StoreLog(_sink, _time);

        for (var second = 0; second < 60; second++)
        {
            log.Note("media", new StorageException(FailureReason.WrongRegion));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(2, _sink.Lines.Count);
    }

    [Fact]
    public void Each_store_and_each_reason_is_logged()
    {
        var log = new StoreLog(_sink, _time);

        foreach (var (store, reason) in new[] { ("a", FailureReason.WrongRegion), ("b", FailureReason.WrongRegion), ("a", FailureReason.BucketMissing), ("a", FailureReason.WrongRegion) })
        {
            log.Note(store, new StorageException(reason));
        }

        Assert.Equal(3, _sink.Lines.Count);
    }

    [Fact]
    public async Task Requests_that_fail_at_the_same_time_are_logged_once()
    {
        using var time = new MeetingTime();
        var log = new StoreLog(_sink, time);
        log.Note("media", new StorageException(FailureReason.WrongRegion));
        time.Meet();

        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
            () => log.Note("media", new StorageException(FailureReason.WrongRegion)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.Equal(2, _sink.Lines.Count);
    }

    [Theory]
    [InlineData(null, "Information: Store media responds at destination one.")]
    [InlineData("status 502", "Warning: Store media did not respond to the first request at destination one: status 502.")]
    public void The_first_request_to_a_store_is_logged(string? fault, string expected)
    {
        new StoreLog(_sink, _time).NoteFirst("media", "one", fault);

        Assert.Equal([expected], _sink.Lines);
    }

    /// <summary>A clock that returns an elapsed minute when two threads have asked for it.</summary>
    private sealed class MeetingTime : TimeProvider, IDisposable
    {
        private readonly Barrier _barrier = new(2);
        private long _now;

        public override long TimestampFrequency
        {
            get
            {
                if (_now > 0)
                {
                    _barrier.SignalAndWait(TimeSpan.FromSeconds(30));
                }

                return 1;
            }
        }

        public void Meet() => _now = 60;

        public override long GetTimestamp() => _now;

        public void Dispose() => _barrier.Dispose();
    }

    private sealed class Sink : ILogger<StoreLog>
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}
