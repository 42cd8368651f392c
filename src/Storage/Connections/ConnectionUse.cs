namespace Gateway.Storage.Connections;

/// <summary>How one request uses the connections to its destination. The connection pools fill it in.</summary>
/// <param name="destination">Scheme, host and port.</param>
internal sealed class ConnectionUse(string destination)
{
    public static readonly HttpRequestOptionsKey<ConnectionUse> Key = new("Gateway.ConnectionUse");

    /// <summary>Scheme, host and port.</summary>
    public string Destination { get; } = destination;

    /// <summary>The pool that the request used; null for a separate connection.</summary>
    public ConnectionPool? Pool { get; set; }

    /// <summary>Whether the pool had reusable connections, so that the failure may be that of an old connection.</summary>
    public bool MayBeReused { get; set; }

    /// <summary>Whether the request needs a separate connection, because it failed on one that may have been reused.</summary>
    public bool NeedsNewConnection { get; set; }

    /// <summary>Timestamp at which the request was first sent.</summary>
    public long Started { get; private set; }

    /// <summary>Resets the state, as if the request had not been sent before.</summary>
    public void Begin(long started) => (Pool, MayBeReused, NeedsNewConnection, Started) = (null, false, false, started);
}
