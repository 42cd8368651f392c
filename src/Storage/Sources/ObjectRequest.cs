namespace Gateway.Storage.Sources;

/// <summary>An object, and who wants it.</summary>
/// <param name="Source">Where it is.</param>
/// <param name="Key">Its name there, decoded and checked: no dot segments, no control characters.</param>
/// <param name="Client">The client it is for.</param>
public sealed record ObjectRequest(Source Source, string Key, ClientContext Client)
{
    /// <summary>Whether the key could be changed on its way: empty segments, text that looks encoded. The path that is sent must then hold exactly this key.</summary>
    public bool IsExact { get; init; }
}
