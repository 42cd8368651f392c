using System.Net;
using Gateway.Storage;
using Gateway.Storage.Connections;
using Gateway.Storage.Failures;
using Gateway.Storage.SubRequests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.SubRequests;

public sealed class AttemptHandlerTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Storage _storage = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly HttpMessageInvoker _client;

    public AttemptHandlerTests() => _client = new HttpMessageInvoker(
        new AttemptHandler(_storage, "cluster", new UpstreamOptions(), null, new FailureCounts(_time), new DestinationGuards(), _time));

    public void Dispose()
    {
        _client.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_destination_that_fails_repeatedly_is_skipped_for_a_while_and_others_are_not()
    {
        _storage.Fails = true;
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(FailureReason.Unreachable, (await FailAsync("http://bad/")).Reason);
        }

        var asked = _storage.Asked;
        var refusal = await FailAsync("http://bad/");

        Assert.Equal(asked, _storage.Asked);
        Assert.Equal(FailureReason.CircuitOpen, refusal.Reason);
        Assert.NotNull(refusal.RetryAfter);
        _storage.Fails = false;
        (await SendAsync("http://good/", new ResponseCapture([]))).Dispose();
        _time.Advance(TimeSpan.FromSeconds(3));
        (await SendAsync("http://bad/", new ResponseCapture([]))).Dispose();
    }

    [Fact]
    public async Task Missing_response_headers_end_the_attempt_at_the_timeout()
    {
        _storage.Hangs = true;
        var capture = new ResponseCapture([]);
        var answer = SendAsync("http://slow/", capture);

        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(answer.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        (await answer).Dispose();
        Assert.Equal((FailureReason.ResponseTimeout, RetryScope.OtherDestination), (capture.Failure!.Reason, capture.Failure.Retry));
    }

    [Fact]
    public async Task Requests_that_are_not_for_a_bundle_are_passed_through()
    {
        _storage.Fails = true;
        for (var i = 0; i < 30; i++)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => _client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://bad/"), CancellationToken.None));
        }

        Assert.Equal(30, _storage.Asked);
    }

    private async Task<StorageException> FailAsync(string address)
    {
        var capture = new ResponseCapture([]);
        (await SendAsync(address, capture)).Dispose();
        return capture.Failure!;
    }

    private Task<HttpResponseMessage> SendAsync(string address, ResponseCapture capture)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Options.Set(AttemptHandler.Capture, capture);
        return _client.SendAsync(request, CancellationToken.None);
    }

    private sealed class Storage : HttpMessageHandler
    {
        public bool Fails { get; set; }

        public bool Hangs { get; set; }

        public int Asked { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked++;
            if (Hangs)
            {
                await Testing.Pace.NeverAsync(cancellationToken);
            }

            return Fails ? throw new HttpRequestException(HttpRequestError.ConnectionError) : new HttpResponseMessage(HttpStatusCode.OK);
        }
    }
}
