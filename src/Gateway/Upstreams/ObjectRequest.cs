namespace Gateway.Upstreams;

/// <summary>An object, and the client it is for.</summary>
/// <param name="Source">The object's source.</param>
/// <param name="Key">Its key there, decoded and checked: no dot segments, no control characters.</param>
/// <param name="Caller">The client it is for.</param>
internal sealed record ObjectRequest(Source Source, string Key, Caller Caller)
{
    /// <summary>Whether the key could change in transit: empty segments, text that looks encoded. The path that is sent must then contain
    /// exactly this key.</summary>
    public bool IsExact { get; init; }
}
