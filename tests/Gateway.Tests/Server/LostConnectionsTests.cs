using Gateway.Server;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server;

/// <summary>A closed connection ends, whatever the server still waits for.</summary>
public sealed class LostConnectionsTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly DefaultConnectionContext _connection = new();
    private readonly TaskCompletionSource _served = new();

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    [Fact]
    public async Task A_connection_ends_when_the_server_has_served_it()
    {
        var guarded = Guard();

        _served.SetResult();

        await guarded;
    }

    [Fact]
    public async Task The_exception_of_a_connection_is_rethrown()
    {
        var guarded = Guard();

        _served.SetException(new IOException("reset"));

        await Assert.ThrowsAsync<IOException>(() => guarded);
    }

    [Fact]
    public async Task A_closed_connection_that_the_server_never_ends_is_released_after_10_s()
    {
        using var closed = new CancellationTokenSource();
        _connection.ConnectionClosed = closed.Token;
        var guarded = Guard();

        await closed.CancelAsync();
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(guarded.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        await guarded;
    }

    [Fact]
    public void An_open_connection_is_never_released()
    {
        var guarded = Guard();

        _time.Advance(TimeSpan.FromDays(7));

        Assert.False(guarded.IsCompleted);
    }

    private Task Guard() => new LostConnections(_time, NullLogger<LostConnections>.Instance).Guard(_ => _served.Task)(_connection);
}
