using Gateway.Server;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server;

public sealed class Http2IdleTimeoutTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly FakeTimeProvider _time = new();
    private readonly Connection _connection = new();
    private readonly Http2IdleTimeout _idle;

    public Http2IdleTimeoutTests() => _idle = new Http2IdleTimeout(_time, Timeout);

    public void Dispose() => _connection.Dispose();

    [Fact]
    public async Task A_connection_without_a_request_is_closed_at_the_timeout()
    {
        await _idle.GuardAsync(Create(), _ => Task.CompletedTask);

        _time.Advance(Timeout - TimeSpan.FromTicks(1));
        Assert.False(_connection.IsAborted);
        _time.Advance(TimeSpan.FromTicks(1));

        Assert.True(_connection.IsAborted);
    }

    [Fact]
    public async Task While_one_of_its_requests_runs_a_connection_stays_open()
    {
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        var running = new[] { _idle.GuardAsync(Create(), _ => first.Task), _idle.GuardAsync(Create(), _ => second.Task) };

        first.SetResult();
        _time.Advance(TimeSpan.FromDays(1));
        Assert.False(_connection.IsAborted);
        second.SetResult();
        await Task.WhenAll(running);
        _time.Advance(Timeout);

        Assert.True(_connection.IsAborted);
    }

    [Fact]
    public async Task A_new_request_begins_the_time_anew()
    {
        await _idle.GuardAsync(Create(), _ => Task.CompletedTask);
        _time.Advance(Timeout / 2);

        await _idle.GuardAsync(Create(), _ => Task.CompletedTask);
        _time.Advance(Timeout - TimeSpan.FromTicks(1));

        Assert.False(_connection.IsAborted);
    }

    [Fact]
    public async Task A_request_that_fails_ends_too()
    {
        await Assert.ThrowsAsync<IOException>(() => _idle.GuardAsync(Create(), _ => throw new IOException()));

        _time.Advance(Timeout);

        Assert.True(_connection.IsAborted);
    }

    [Fact]
    public async Task A_connection_that_has_closed_is_not_aborted()
    {
        await _idle.GuardAsync(Create(), _ => Task.CompletedTask);

        _connection.Close();
        _time.Advance(Timeout);

        Assert.False(_connection.IsAborted);
    }

    [Theory]
    [InlineData("HTTP/1.1")]
    [InlineData("HTTP/3")]
    public async Task Other_protocols_have_their_own_timeouts(string protocol)
    {
        await _idle.GuardAsync(Create(protocol), _ => Task.CompletedTask);

        _time.Advance(Timeout);

        Assert.False(_connection.IsAborted);
    }

    private DefaultHttpContext Create(string protocol = "HTTP/2")
    {
        var http = new DefaultHttpContext { Request = { Protocol = protocol } };
        http.Features.Set<IConnectionItemsFeature>(_connection);
        http.Features.Set<IConnectionLifetimeFeature>(_connection);
        return http;
    }

    private sealed class Connection : IConnectionItemsFeature, IConnectionLifetimeFeature, IDisposable
    {
        private readonly CancellationTokenSource _closed = new();

        public IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

        public CancellationToken ConnectionClosed { get => _closed.Token; set => throw new NotSupportedException(); }

        public bool IsAborted { get; private set; }

        public void Abort() => IsAborted = true;

        public void Close() => _closed.Cancel();

        public void Dispose() => _closed.Dispose();
    }
}
