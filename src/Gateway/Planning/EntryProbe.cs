using Gateway.Plans;
using Gateway.Responses;
using Gateway.Storage.Objects;
using Gateway.Storage.Sources;

namespace Gateway.Planning;

/// <summary>What is learned of one entry while its plan is made.</summary>
/// <remarks>One thread at a time. Only <see cref="BundlePlanner"/>, <see cref="ObjectProber"/> and <see cref="HeadVerifier"/> write it; the plan gets an immutable copy.</remarks>
internal sealed class EntryProbe(ResolvedEntry entry)
{
    public int Index => entry.Index;

    public ObjectRequest Object => entry.Object;

    public Source Source => entry.Object.Source;

    /// <summary>What the manifest states; null when it states nothing.</summary>
    public ObjectHead? Declared { get; } = entry.Declared;

    /// <summary>What storage reported; null as long as it has not.</summary>
    public ObjectHead? Head { get; set; } = entry.Listed;

    public bool IsMissing { get; set; } = entry.IsOmitted;

    /// <summary>What the manifest states and what is not so; null when nothing differs.</summary>
    /// <param name="getSha256">Returns the object's hash, where it is known.</param>
    public string? FindDifference(Func<byte[]?> getSha256) =>
        Declared?.Size is { } size && size != Head!.Size ? $"has {Head.Size} bytes, the manifest says {size}"
        : Declared?.ETag is { } etag && etag != Head!.ETag ? "has another etag than the manifest says"
        : entry.Requested.Sha256 is { } stated && getSha256() is { } sha256 && !stated.AsSpan().SequenceEqual(sha256) ? "has another sha256 than the manifest says"
        : null;

    public EntryError ToError(string reason) => new(entry.RequestIndex, entry.Requested.Id, reason);

    public PlannedEntry ToPlanned() => PlannedEntry.From(entry) with { Head = Head, IsChecked = true, IsMissing = IsMissing };
}
