using Gateway.Storage.Connections;

namespace Storage.Tests.Connections;

public sealed class ConnectionPoolTests : IDisposable
{
    private readonly Connections _connections = new();
    private readonly ConnectionPool _pool;

    public ConnectionPoolTests() => _pool = new ConnectionPool(new HttpMessageInvoker(_connections), created: 42);

    public void Dispose() => _connections.Dispose();

    [Fact]
    public void A_pool_stays_open_while_it_is_in_use_and_while_it_is_idle()
    {
        Assert.True(_pool.TryEnter());
        _pool.Leave();

        Assert.False(_connections.AreClosed);
        Assert.True(_pool.TryEnter());
        Assert.Equal(42, _pool.Created);
    }

    [Fact]
    public void An_idle_pool_is_closed_when_it_is_replaced()
    {
        _pool.Replace();

        Assert.True(_connections.AreClosed);
        Assert.False(_pool.TryEnter());
    }

    [Fact]
    public void The_last_request_of_a_replaced_pool_closes_it()
    {
        _pool.TryEnter();
        _pool.TryEnter();

        _pool.Replace();
        Assert.False(_pool.TryEnter());
        _pool.Leave();
        Assert.False(_connections.AreClosed);
        _pool.Leave();

        Assert.True(_connections.AreClosed);
    }

    private sealed class Connections : HttpMessageHandler
    {
        public bool AreClosed { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            AreClosed = true;
            base.Dispose(disposing);
        }
    }
}
