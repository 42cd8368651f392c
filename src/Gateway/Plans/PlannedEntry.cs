using Gateway.Storage.Objects;
using Gateway.Storage.Sources;

namespace Gateway.Plans;

/// <summary>One entry of a plan.</summary>
/// <param name="Index">Its place among all entries, from 0.</param>
/// <param name="Id">Source and key, as the client wrote them.</param>
/// <param name="Name">Its name in the archive.</param>
/// <param name="Object">Where the object is.</param>
/// <param name="Head">What storage reported of the object, or, where storage was not asked, what the manifest states; null when neither is known.</param>
internal sealed record PlannedEntry(int Index, string Id, string Name, ObjectRequest Object, ObjectHead? Head)
{
    /// <summary>The place in the request of the entry that it comes from.</summary>
    public int RequestIndex { get; init; } = Index;

    /// <summary>The hash that its bytes must have, or null.</summary>
    public byte[]? Sha256 { get; init; }

    /// <summary>Whether storage was asked.</summary>
    public bool IsChecked { get; init; }

    /// <summary>Whether storage was asked, and has no such object.</summary>
    public bool IsMissing { get; init; }

    /// <summary>An entry as far as it is known before storage is asked about it alone.</summary>
    public static PlannedEntry From(ResolvedEntry entry) => new(entry.Index, entry.Requested.Id, entry.Requested.Name, entry.Object, entry.Listed ?? entry.Declared)
    {
        RequestIndex = entry.RequestIndex,
        Sha256 = entry.Requested.Sha256,
        IsChecked = entry.Listed is not null || entry.IsOmitted,
        IsMissing = entry.IsOmitted,
    };
}
