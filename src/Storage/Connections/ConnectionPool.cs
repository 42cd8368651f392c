namespace Gateway.Storage.Connections;

/// <summary>The connections to one destination that are kept for further requests.</summary>
/// <remarks>Thread-safe. When a pool has been replaced, its last request closes its idle connections; bodies that are still being
/// read keep theirs until they end.</remarks>
internal sealed class ConnectionPool(HttpMessageInvoker client, long created)
{
    private readonly Lock _lock = new();
    private int _requests;
    private bool _isReplaced;

    /// <summary>Timestamp.</summary>
    public long Created { get; } = created;

    /// <summary>Whether a response was received over one of its connections, which is then kept.</summary>
    public bool HasResponded { get; set; }

    /// <summary>Its connections.</summary>
    public HttpMessageInvoker Client => client;

    /// <summary>Begins a request; false if the pool was replaced.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_isReplaced)
            {
                return false;
            }

            _requests++;
            return true;
        }
    }

    /// <summary>Called when the response headers were received, or the request failed.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            if (--_requests > 0 || !_isReplaced)
            {
                return;
            }
        }

        client.Dispose();
    }

    /// <summary>Accepts no more requests.</summary>
    public void Replace()
    {
        lock (_lock)
        {
            _isReplaced = true;
            if (_requests > 0)
            {
                return;
            }
        }

        client.Dispose();
    }
}
