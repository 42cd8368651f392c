namespace Gateway.Upstreams;

/// <summary>How one request uses the connections to its destination. The connection pools fill it in.</summary>
internal sealed class ConnectionUse
{
    public static readonly HttpRequestOptionsKey<ConnectionUse> Key = new("Gateway.ConnectionUse");

    /// <summary>The pool that the request used; null for a connection of its own.</summary>
    public ConnectionPool? Pool { get; set; }

    /// <summary>Whether the pool had connections that could be used again, so that a failure may be that of an old connection.</summary>
    public bool MayBeReused { get; set; }

    /// <summary>Whether the request needs a connection of its own, because it failed on one that may have been reused.</summary>
    public bool NeedsNewConnection { get; set; }
}
