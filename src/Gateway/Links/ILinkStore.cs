namespace Gateway.Links;

/// <summary>Stores the manifests of links that are too long for a URL.</summary>
internal interface ILinkStore
{
    /// <summary>Stores a manifest until it expires. No other one is evicted for it.</summary>
    /// <param name="name">Cannot be guessed, and does not reveal the link.</param>
    /// <param name="packed">The manifest.</param>
    /// <param name="expires">When it expires.</param>
    /// <param name="client">The client that is charged for the space.</param>
    /// <exception cref="LinkException">There is no space.</exception>
    Task AddAsync(string name, byte[] packed, DateTimeOffset expires, string client);

    /// <summary>The manifest, or null.</summary>
    Task<byte[]?> FindAsync(string name);
}
