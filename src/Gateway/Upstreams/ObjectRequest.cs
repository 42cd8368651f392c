namespace Gateway.Upstreams;

/// <summary>An object, and who wants it.</summary>
/// <param name="Source">Where it is.</param>
/// <param name="Key">Its name there, decoded and checked: no dot segments, no control characters.</param>
/// <param name="Caller">The client it is for.</param>
internal sealed record ObjectRequest(Source Source, string Key, Caller Caller)
{
    /// <summary>Whether the key could be changed on its way: empty segments, text that looks encoded. The path that is sent must then hold exactly this key.</summary>
    public bool IsExact { get; init; }
}
