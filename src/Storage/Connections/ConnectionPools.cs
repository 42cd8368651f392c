using System.Collections.Concurrent;

namespace Gateway.Storage.Connections;

/// <summary>
/// The connections of a cluster: one pool for each destination. A connection that is kept can die unseen: a load balancer loses its
/// state, an address moves, storage restarts. A request that failed on one is sent once more on a connection of its own. If that works,
/// the other connections of the pool are as old, and the pool is replaced.
/// </summary>
/// <remarks>A destination's pool is replaced at most once a second, and never because of an object that fails on a new connection, too.
/// So an object that always fails costs its own connections and no others.</remarks>
internal sealed class ConnectionPools : HttpMessageHandler
{
    private static readonly TimeSpan ReplaceInterval = TimeSpan.FromSeconds(1);

    private readonly Func<SocketsHttpHandler> _create;
    private readonly TimeProvider _time;
    private volatile bool _isDisposed;
    private readonly HttpMessageInvoker _withoutPool;

    // One for each address of the cluster's destinations, so configuration bounds it.
    private readonly ConcurrentDictionary<string, ConnectionPool> _pools = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="withoutPool">A handler with the cluster's settings, not used yet; for requests that need a connection of their own.</param>
    /// <param name="create">Makes another one, for a pool.</param>
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
