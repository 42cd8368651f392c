namespace Gateway.Storage.Sources;

/// <summary>The source of ids whose first segment names no source.</summary>
/// <param name="Name">Its name; null: such ids are refused.</param>
public sealed record DefaultSource(string? Name)
{
    /// <summary>What is wrong with the configuration when no route is this source.</summary>
    public string Fault => $"Bundle:DefaultSource: there is no source '{Name}'";
}
