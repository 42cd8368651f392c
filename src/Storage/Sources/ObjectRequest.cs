namespace Gateway.Storage.Sources;

/// <summary>An object, and the client it is for.</summary>
/// <param name="Source">The object's source.</param>
/// <param name="Key">Its key there, decoded and checked: no dot segments, no control characters.</param>
/// <param name="Client">The client it is for.</param>
public sealed record ObjectRequest(Source Source, string Key, ClientContext Client)
{
    /// <summary>Whether the key could change in transit: empty segments, text that looks encoded. The path that is sent must then contain
    /// exactly this key.</summary>
    public bool IsExact { get; init; }

    /// <summary>The version id that the store keeps the object by; null: the current version.</summary>
    public string? Version { get; init; }
}
