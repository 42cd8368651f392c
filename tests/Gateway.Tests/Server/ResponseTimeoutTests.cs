using System.IO.Pipelines;
using Gateway.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.Server;

public class ResponseTimeoutTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestHttp _http = new();
    private readonly SlowBody _body = new();
    private readonly ResponseTimeout _timeout;

    public ResponseTimeoutTests()
    {
        _timeout = new ResponseTimeout(_time);
        _http.Context.Features.Set<IHttpResponseBodyFeature>(_body);
        _http.Context.Features.Set<IHttpResponseFeature>(_body.Head);
    }

    [Fact]
    public async Task A_client_that_does_not_read_the_end_of_its_response_is_aborted_after_30_s()
    {
        var guarded = _timeout.GuardAsync(_http.Context, _ => Task.CompletedTask);

        _time.Advance(ResponseTimeout.Short - TimeSpan.FromTicks(1));
        Assert.False(_http.IsAborted);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True(_http.IsAborted);

        _body.Read.SetResult();
        await guarded;
    }

    [Fact]
    public async Task The_time_of_a_short_response_begins_with_its_first_byte()
    {
        var response = new TaskCompletionSource();
        var guarded = _timeout.GuardAsync(_http.Context, _ => response.Task);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(_http.IsAborted);

        await _body.Head.StartAsync();
        _time.Advance(ResponseTimeout.Short);
        Assert.True(_http.IsAborted);

        response.SetResult();
        _body.Read.SetResult();
        await guarded;
    }

    [Fact]
    public async Task A_proxied_response_may_take_longer_until_its_last_bytes()
    {
        _http.Context.SetEndpoint(Endpoint(new RouteModel(new RouteConfig { RouteId = "r", Match = new RouteMatch() }, null, HttpTransformer.Default)));
        var response = new TaskCompletionSource();
        var guarded = _timeout.GuardAsync(_http.Context, _ => response.Task);

        await _body.Head.StartAsync();
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(_http.IsAborted);
        response.SetResult();
        _body.Read.SetResult();
        await guarded;

        Assert.True(_body.IsCompleted);
    }

    [Fact]
    public async Task An_archive_ends_its_clients_itself()
    {
        _http.Context.SetEndpoint(Endpoint(LongResponse.Metadata));

        await _timeout.GuardAsync(_http.Context, _ => Task.CompletedTask);
        _time.Advance(TimeSpan.FromDays(1));

        Assert.False(_http.IsAborted);
        Assert.False(_body.IsCompleted);
    }

    [Fact]
    public async Task A_response_that_was_truncated_is_not_completed()
    {
        _http.Context.Features.Set<IForwarderErrorFeature>(new Truncated());

        await _timeout.GuardAsync(_http.Context, _ => Task.CompletedTask);

        Assert.False(_body.IsCompleted);
    }

    [Fact]
    public async Task A_client_that_has_gone_gets_no_end()
    {
        _http.RequestAborted = new CancellationToken(canceled: true);

        await _timeout.GuardAsync(_http.Context, _ => Task.CompletedTask);

        Assert.False(_body.IsCompleted);
    }

    private static Endpoint Endpoint(object metadata) => new(null, new EndpointMetadataCollection(metadata), null);

    private sealed class Truncated : IForwarderErrorFeature
    {
        public ForwarderError Error => ForwarderError.ResponseBodyDestination;

        public Exception? Exception => null;
    }

    /// <summary>A response whose last bytes wait until the client reads them.</summary>
    private sealed class SlowBody : IHttpResponseBodyFeature
    {
        public TaskCompletionSource Read { get; } = new();

        public Headers Head { get; } = new();

        public bool IsCompleted { get; private set; }

        public Stream Stream => Stream.Null;

        public PipeWriter Writer { get; } = PipeWriter.Create(Stream.Null);

        public Task CompleteAsync()
        {
            IsCompleted = true;
            return Read.Task;
        }

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
    }

    private sealed class Headers : HttpResponseFeature
    {
        private Func<Task> _starting = () => Task.CompletedTask;

        public Task StartAsync() => _starting();

        public override void OnStarting(Func<object, Task> callback, object state) => _starting = () => callback(state);
    }
}
