using System.Text.Json.Serialization;
using Gateway.Plans;
using Gateway.Requests;

namespace Gateway.Bundles;

/// <summary>The JSON response of <c>/bundle/plan</c>: what a bundle of the same request would contain.</summary>
/// <param name="Name">File name of the download.</param>
/// <param name="Format">The container.</param>
/// <param name="Compression">The compression.</param>
/// <param name="Encoder">Everything except the objects that determines the bytes.</param>
/// <param name="Size">Uncompressed bytes of all entries that exist.</param>
/// <param name="Length">Length of the archive, if it is known in advance or the archive was sent before.</param>
/// <param name="ETag">The bundle's validator if every object has a strong one.</param>
/// <param name="Entries">One for each id, in order.</param>
internal sealed record PlanDocument(
    string Name,
    string Format,
    string Compression,
    string Encoder,
    long? Size,
    long? Length,
    [property: JsonPropertyName("etag")] string? ETag,
    IReadOnlyList<PlanDocument.Entry> Entries)
{
    public static PlanDocument From(BundlePlan plan, long? length) => new(
        $"{plan.Request.FileName}.{FormatNames.GetName(plan.Recipe.Format)}",
        FormatNames.GetName(plan.Recipe.Format),
        plan.Recipe.Compression.ToString().ToLowerInvariant(),
        plan.Recipe.Fingerprint,
        plan.Size,
        length,
        plan.ETag,
        [.. plan.All.Select(Describe)]);

    private static Entry Describe(PlannedEntry entry) => entry is { IsMissing: false, Head: { } head }
        ? new(entry.RequestIndex, entry.Id, entry.Name, head.Size, head.ETag, head.Modified, head.Stored is null ? head.Encoding : null, head.Stored?.Encoding, "ok")
        : new(entry.RequestIndex, entry.Id, entry.Name, null, null, null, null, null, "missing");

    internal sealed record Entry(
        int Index, string Id, string Name, long? Size, [property: JsonPropertyName("etag")] string? ETag, DateTimeOffset? Modified, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Encoding,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Decoded, string Status);
}
