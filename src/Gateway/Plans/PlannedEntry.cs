using Gateway.Storage.Objects;
using Gateway.Storage.Sources;

namespace Gateway.Plans;

/// <summary>One entry of a plan.</summary>
/// <param name="Index">Its place in the request, from 0.</param>
/// <param name="Id">Source and key, as the client wrote them.</param>
/// <param name="Name">Its name in the archive.</param>
/// <param name="Object">Where the object is.</param>
/// <param name="Head">What storage reported of the object, or, where storage was not asked, what the manifest states; null when neither is known.</param>
internal sealed record PlannedEntry(int Index, string Id, string Name, ObjectRequest Object, ObjectHead? Head)
{
    /// <summary>The hash that its bytes must have, or null.</summary>
    public byte[]? Sha256 { get; init; }

    /// <summary>Whether storage was asked.</summary>
    public bool IsChecked { get; init; }

    /// <summary>Whether storage was asked, and has no such object.</summary>
    public bool IsMissing { get; init; }

    /// <summary>An entry of which storage was not asked.</summary>
    public static PlannedEntry From(ResolvedEntry entry) =>
        new(entry.Index, entry.Requested.Id, entry.Requested.Name, entry.Object, entry.Declared) { Sha256 = entry.Requested.Sha256 };
}
