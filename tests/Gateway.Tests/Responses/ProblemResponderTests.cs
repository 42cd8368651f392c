using System.Text.Json;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Responses;

public class ProblemResponderTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestHttp _http = new();
    private readonly ProblemResponder _responder;

    public ProblemResponderTests() => _responder = new ProblemResponder(Options.Create(new ClientOptions { StallTimeout = TimeSpan.FromSeconds(10) }), _time);

    [Fact]
    public async Task A_problem_is_sent_as_it_is()
    {
        await _responder.SendAsync(_http.Context, BundleProblemException.BadRequest("Bad."), FailureReason.Fault);

        AssertProblem(400, "Bad.");
    }

    [Fact]
    public async Task After_a_storage_failure_the_client_gets_Retry_After_and_no_details()
    {
        await _responder.SendAsync(_http.Context, new StorageException(FailureReason.Throttled, "Host 10.0.0.1.", TimeSpan.FromSeconds(7)), FailureReason.Fault);

        AssertProblem(503, "Storage failed.");
        Assert.Equal("7", _http.Response.Headers.RetryAfter);
    }

    [Fact]
    public async Task A_cancellation_that_is_not_the_client_s_is_a_shutdown()
    {
        await _responder.SendAsync(_http.Context, new OperationCanceledException(), FailureReason.Draining);

        AssertProblem(503, "This replica is shutting down.");
    }

    [Fact]
    public async Task Any_other_exception_is_a_500_that_reveals_nothing()
    {
        await _responder.SendAsync(_http.Context, new InvalidOperationException("secret"), FailureReason.Fault);

        AssertProblem(500, "The gateway failed.");
        Assert.DoesNotContain("secret", _http.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_has_gone_is_aborted()
    {
        await _responder.SendAsync(_http.Context, new ClientException(FailureReason.ClientGone), FailureReason.Fault);

        AssertAborted();
    }

    [Fact]
    public async Task A_request_that_the_client_has_aborted_gets_no_document()
    {
        _http.RequestAborted = new CancellationToken(canceled: true);

        await _responder.SendAsync(_http.Context, BundleProblemException.BadRequest("Bad."), FailureReason.Fault);

        AssertAborted();
    }

    [Fact]
    public async Task After_the_headers_were_sent_a_failure_is_an_abort()
    {
        _http.Context.Features.Set<IHttpResponseFeature>(new StartedResponse());

        await _responder.SendAsync(_http.Context, BundleProblemException.BadRequest("Bad."), FailureReason.Fault);

        AssertAborted();
    }

    [Fact]
    public async Task What_is_buffered_cannot_be_taken_back_so_a_failure_is_an_abort()
    {
        _http.Response.BodyWriter.GetSpan(1)[0] = 1;
        _http.Response.BodyWriter.Advance(1);

        await _responder.SendAsync(_http.Context, BundleProblemException.BadRequest("Bad."), FailureReason.Fault);

        AssertAborted();
    }

    [Fact]
    public async Task A_document_that_cannot_be_sent_ends_as_an_abort()
    {
        _http.Response.Body = new BrokenStream();

        await _responder.SendAsync(_http.Context, BundleProblemException.BadRequest("Bad."), FailureReason.Fault);

        Assert.True(_http.IsAborted);
    }

    [Fact]
    public async Task A_client_that_does_not_read_its_response_is_aborted_at_the_stall_timeout()
    {
        var read = new TaskCompletionSource();
        var responding = _responder.RespondAsync(_http.Context, () => read.Task);

        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(_http.IsAborted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(_http.IsAborted);

        read.SetResult();
        await responding;
    }

    [Fact]
    public async Task A_response_that_was_read_in_time_is_never_aborted()
    {
        await _responder.RespondAsync(_http.Context, () => Task.CompletedTask);

        _time.Advance(TimeSpan.FromDays(1));

        Assert.False(_http.IsAborted);
    }

    private void AssertProblem(int status, string title)
    {
        Assert.Equal(status, _http.Response.StatusCode);
        Assert.Equal(title, JsonDocument.Parse(_http.Body).RootElement.GetProperty("title").GetString());
        Assert.False(_http.IsAborted);
    }

    private void AssertAborted()
    {
        Assert.True(_http.IsAborted);
        Assert.Empty(_http.Body);
        Assert.Equal(200, _http.Response.StatusCode);
    }

    private sealed class StartedResponse : HttpResponseFeature
    {
        public override bool HasStarted => true;
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("broken");

        public override Task FlushAsync(CancellationToken cancellationToken) => throw new IOException("broken");
    }
}
