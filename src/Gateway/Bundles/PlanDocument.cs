using System.Text.Json.Serialization;
using Gateway.Requests;
using Gateway.Runs;

namespace Gateway.Bundles;

/// <summary>The JSON answer to <c>/bundle/plan</c>: what a bundle of the same request would hold.</summary>
/// <param name="Name">File name of the download.</param>
/// <param name="Format">The container.</param>
/// <param name="Compression">How hard it is compressed.</param>
/// <param name="Encoder">What the bytes depend on besides the objects.</param>
/// <param name="Size">Plain bytes of all entries that are there.</param>
/// <param name="Length">Bytes of the archive, where they are known before it is made or it was sent before.</param>
/// <param name="ETag">The bundle's validator where every object has a strong one.</param>
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
        ? new(entry.Index, entry.Id, entry.Name, head.Size, head.ETag, head.Modified, head.Stored is null ? head.Encoding : null, head.Stored?.Encoding, "ok")
        : new(entry.Index, entry.Id, entry.Name, null, null, null, null, null, "missing");

    internal sealed record Entry(
        int Index, string Id, string Name, long? Size, [property: JsonPropertyName("etag")] string? ETag, DateTimeOffset? Modified, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Encoding,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Decoded, string Status);
}
