using System.Text.Json.Serialization;

namespace Gateway.Bundles;

/// <summary>The JSON response of <c>/bundle/list</c>: one level of a folder, or the sources that can be listed.</summary>
/// <param name="Id">The folder; empty: the sources.</param>
/// <param name="Folders">The folders in it.</param>
/// <param name="Objects">The objects in it, in the order of the store.</param>
/// <param name="Omitted">How many keys are left out because no archive can hold them.</param>
/// <param name="Next">The parameter <c>after</c> of the next page; null: this is the last page.</param>
internal sealed record FolderDocument(
    string Id, IReadOnlyList<FolderDocument.Folder> Folders, IReadOnlyList<FolderDocument.Item> Objects, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Omitted, string? Next)
{
    internal sealed record Folder(string Id, string Name);

    internal sealed record Item(string Id, string Name, long Size, DateTimeOffset Modified, [property: JsonPropertyName("etag")] string? ETag);
}
