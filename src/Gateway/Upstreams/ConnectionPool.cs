namespace Gateway.Upstreams;

/// <summary>The connections to one destination that are kept for further requests.</summary>
/// <remarks>Any number of requests use it at the same time. The last one that leaves a pool that was replaced closes its idle connections;
/// bodies that are still being read keep theirs until they end.</remarks>
internal sealed class ConnectionPool(HttpMessageInvoker client, long created)
{
    private readonly Lock _lock = new();
    private int _requests;
    private bool _isReplaced;

    /// <summary>Timestamp.</summary>
    public long Created { get; } = created;

    /// <summary>Whether a response came over one of its connections, which is then kept.</summary>
    public bool HasResponded { get; private set; }

    /// <summary>Sends a request and waits for the response headers.</summary>
    /// <returns>Null if the pool was replaced.</returns>
    public async Task<HttpResponseMessage?> TrySendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_isReplaced)
            {
                return null;
            }

            _requests++;
        }

        try
        {
            var response = await client.SendAsync(request, cancellationToken);
            HasResponded = true;
            return response;
        }
        finally
        {
            lock (_lock)
            {
                _requests--;
            }

            CloseIfUnused();
        }
    }

    /// <summary>Takes no more requests.</summary>
    public void Replace()
    {
        lock (_lock)
        {
            _isReplaced = true;
        }

        CloseIfUnused();
    }

    private void CloseIfUnused()
    {
        lock (_lock)
        {
            if (!_isReplaced || _requests > 0)
            {
                return;
            }
        }

        client.Dispose();
    }
}
