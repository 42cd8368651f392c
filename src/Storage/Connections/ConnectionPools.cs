using System.Collections.Concurrent;

namespace Gateway.Storage.Connections;

/// <summary>
/// The connections of a cluster: one pool for each destination. A kept connection can die unnoticed: a load balancer loses its
/// state, an address moves, storage restarts. A request that failed on one is sent once more on a separate connection. If that
/// succeeds, the other connections of the pool are probably dead too, and the pool is replaced.
/// </summary>
/// <remarks>A destination's pool is replaced at most once a second, and never because of an object that also fails on a new connection.
/// So an object that always fails costs no connections of other objects.</remarks>
internal sealed class ConnectionPools : HttpMessageHandler
{
    private static readonly TimeSpan ReplaceInterval = TimeSpan.FromSeconds(1);

    private readonly Func<SocketsHttpHandler> _create;
    private readonly TimeProvider _time;
    private volatile bool _isDisposed;
    private readonly HttpMessageInvoker _withoutPool;

    // One per address of the cluster's destinations, so configuration bounds it.
    private readonly ConcurrentDictionary<string, ConnectionPool> _pools = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="withoutPool">An unused handler with the cluster's settings, for requests that need a separate connection.</param>
    /// <param name="create">Creates another handler, for a pool.</param>
    /// <param name="time">The clock.</param>
    public ConnectionPools(SocketsHttpHandler withoutPool, Func<SocketsHttpHandler> create, TimeProvider time)
    {
        withoutPool.PooledConnectionLifetime = TimeSpan.Zero;
        (_withoutPool, _create, _time) = (new HttpMessageInvoker(withoutPool), create, time);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Options.TryGetValue(ConnectionUse.Key, out var use);
        var destination = use?.Destination ?? request.RequestUri!.GetLeftPart(UriPartial.Authority);
        if (use is { NeedsNewConnection: true })
        {
            var response = await _withoutPool.SendAsync(request, cancellationToken);
            Replace(destination, use.Pool);
            return response;
        }

        while (true)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var pool = _pools.GetOrAdd(destination, static (_, pools) => pools.Create(), this);
            if (use is not null)
            {
                (use.Pool, use.MayBeReused) = (pool, pool.HasResponded);
            }

            if (!pool.TryEnter())
            {
                continue;
            }

            try
            {
                var response = await pool.Client.SendAsync(request, cancellationToken);
                pool.HasResponded = true;
                return response;
            }
            finally
            {
                pool.Leave();
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _isDisposed = true;
            foreach (var pool in _pools.Values)
            {
                pool.Replace();
            }

            _withoutPool.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Replace(string destination, ConnectionPool? old)
    {
        if (old is not null && _time.GetElapsedTime(old.Created) >= ReplaceInterval && _pools.TryUpdate(destination, Create(), old))
        {
            old.Replace();
        }
    }

    private ConnectionPool Create() => new(new HttpMessageInvoker(_create()), _time.GetTimestamp());
}
