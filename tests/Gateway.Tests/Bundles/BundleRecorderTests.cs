using System.Net;
using System.Text.Json;
using Gateway.Admission;
using Gateway.Bundles;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage;
using Gateway.Storage.Failures;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.Tests.Bundles;

public sealed class BundleRecorderTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestHttp _http = new();
    private readonly TestMetrics _metrics = new();
    private readonly TestLifetime _lifetime = new();
    private readonly Sink _log = new();
    private readonly BundleMemory _memory;
    private readonly BundlePermits _permits;
    private readonly Drain _drain;
    private readonly BundleRun _run;
    private readonly BundleRecorder _recorder;

    public BundleRecorderTests()
    {
        var client = Options.Create(new ClientOptions());
        _memory = new BundleMemory(Options.Create(new MemoryOptions { MaxBytes = 16 << 20 }), Options.Create(new LimitOptions()));
        _permits = new BundlePermits(Options.Create(new LimitOptions()), _metrics.Bundles);
        _drain = new Drain(Options.Create(new DrainOptions { Delay = TimeSpan.Zero, Timeout = TimeSpan.Zero }), _time, _lifetime, NullLogger<Drain>.Instance);
        _http.Request.Method = HttpMethods.Get;
        _http.Context.Connection.RemoteIpAddress = IPAddress.Loopback;
        _run = new BundleRunFactory(_memory, _permits, _drain, client, Options.Create(new UpstreamOptions()), _time).Create(_http.Context, BundleOperation.Archive);
        _recorder = new BundleRecorder(new ProblemResponder(client, _time), _drain, new RunningBundles(), client, _metrics.Bundles, _log);
    }

    public void Dispose()
    {
        _run.Dispose();
        _drain.Dispose();
        _permits.Dispose();
        _memory.Dispose();
        _lifetime.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task A_run_that_succeeds_has_one_outcome()
    {
        await _recorder.RunAsync(_run, () =>
        {
            _time.Advance(TimeSpan.FromSeconds(1.5));
            return Task.CompletedTask;
        });

        Assert.Equal(
            "Purpose=Archive Origin=None Reason=None TraceId=trace-1 Client=127.0.0.1 Method=GET Status=200 Entries=0 EntriesSent=0 Skipped=0 BytesIn=0 BytesOut=0 Seconds=1.500 UpstreamSeconds=0.000 ClientSeconds=0.000 Retries=0 Resumes=0",
            Assert.Single(_log.Lines));
        Assert.Equal(1, _metrics["gateway.bundle.outcomes"]);
    }

    [Fact]
    public async Task A_failure_becomes_a_problem_and_the_outcome_names_the_object()
    {
        var source = TestBundle.Source("media");
        _run.Bundle = new ResolvedBundle(
            TestBundle.Request(), [new ResolvedEntry(0, new RequestedEntry("media/a b"), new ObjectRequest(source, "a b", TestClient.Create()))]);
        _run.RequestedEntries = 1;
        var failure = new StorageException(FailureReason.StorageError, "Storage returned 500.") { LogDetail = "detail" };
        failure.Note("d1", 500);

        await _recorder.RunAsync(_run, () => throw BundleProblemException.FromStorage((new(0, "media/a b", "x"), failure)));

        Assert.Equal((502, "Storage failed."), (_http.Response.StatusCode, JsonDocument.Parse(_http.Body).RootElement.GetProperty("title").GetString()));
        var line = Assert.Single(_log.Lines);
        Assert.Contains("Origin=Upstream Reason=StorageError", line, StringComparison.Ordinal);
        Assert.Contains("Format=tar Compression=Fast Entries=1", line, StringComparison.Ordinal);
        Assert.EndsWith("EntryIndex=0 Source=media Key=\"a b\" Destination=d1 UpstreamStatus=500 Error=\"Storage returned 500. detail\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_whose_source_is_not_known_is_named_by_its_id()
    {
        await _recorder.RunAsync(_run, () => throw BundleProblemException.BadRequest("Bad.", [new(3, "no source", "x")]));

        Assert.EndsWith("EntryIndex=3 Id=\"no source\" Error=Bad.", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_other_requests_can_use_is_returned_before_the_client_gets_its_error()
    {
        var reader = new TestReader();
        _run.Opened.Add(0, reader);
        _run.RequestMemory.GrowByEntries(100);
        _http.Response.Body = new CheckingStream(() =>
        {
            Assert.Equal(1, reader.Closed);
            Assert.Equal(0, _memory.Leased);
        });

        await _recorder.RunAsync(_run, () => throw BundleProblemException.BadRequest("Bad."));

        Assert.NotEmpty(_http.Body);
        Assert.False(_http.IsAborted);
    }

    [Fact]
    public async Task A_bundle_that_is_cut_by_a_shutdown_is_recorded_as_such()
    {
        _drain.TryEnter();
        await _drain.StoppingAsync(CancellationToken.None);
        Assert.True(_run.Stopped.IsCancellationRequested);

        await _recorder.RunAsync(_run, () => Task.FromCanceled(_run.Stopped));

        Assert.Contains("Origin=Gateway Reason=Draining", Assert.Single(_log.Lines), StringComparison.Ordinal);
        Assert.Equal(503, _http.Response.StatusCode);
    }

    [Fact]
    public async Task Nothing_was_sent_to_a_client_that_had_gone_so_there_is_no_status()
    {
        _http.RequestAborted = new CancellationToken(canceled: true);

        await _recorder.RunAsync(_run, () => throw new IOException("broken"));

        var line = Assert.Single(_log.Lines);
        Assert.Contains("Reason=ClientGone", line, StringComparison.Ordinal);
        Assert.DoesNotContain("Status=", line, StringComparison.Ordinal);
        Assert.True(_http.IsAborted);
    }

    private sealed class CheckingStream(Action check) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            check();
            return base.WriteAsync(buffer, cancellationToken);
        }
    }

    private sealed class Sink : ILogger<BundleRecorder>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}
