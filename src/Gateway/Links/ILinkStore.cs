namespace Gateway.Links;

/// <summary>Where the manifests of links are kept that are too long for a URL.</summary>
internal interface ILinkStore
{
    /// <summary>Keeps a manifest until it expires. No other one is evicted for it.</summary>
    /// <param name="name">Nobody can guess it, and it does not tell the link.</param>
    /// <param name="packed">The manifest.</param>
    /// <param name="expires">When it expires.</param>
    /// <param name="client">Who is charged for the room.</param>
    /// <exception cref="LinkException">There is no room.</exception>
    Task AddAsync(string name, byte[] packed, DateTimeOffset expires, string client);

    /// <summary>The manifest, or null.</summary>
    Task<byte[]?> FindAsync(string name);
}
