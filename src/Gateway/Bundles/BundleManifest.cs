using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Net.Http.Headers;

namespace Gateway.Bundles;

/// <summary>The JSON body of a POST.</summary>
internal sealed class BundleManifest
{
    // The manifest is three levels deep.
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        AllowDuplicateProperties = false,
        MaxDepth = 8,
        NumberHandling = JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    public string? Name { get; init; }

    public string? Format { get; init; }

    public string? Compression { get; init; }

    public string? Missing { get; init; }

    public bool Receipt { get; init; }

    public IReadOnlyList<Entry?>? Entries { get; init; }

    public static async Task<BundleManifest> ReadAsync(Stream body, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<BundleManifest>(body, Strict, cancellationToken)
                ?? throw BundleRefusal.BadRequest("The manifest is null.");
        }
        catch (JsonException e)
        {
            throw BundleRefusal.BadRequest($"The manifest cannot be read: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}{(IsPlain(e.Path) ? $", at {e.Path}" : "")}.");
        }
    }

    public void CopyTo(BundleFields fields)
    {
        if (Format is not null)
        {
            BundleFields.RequireOfferedFormat(Format);
        }

        if (Compression is not null)
        {
            fields.SetCompression(Compression);
        }

        if (Missing is not null)
        {
            fields.SetMissing(Missing);
        }

        if (Name is not null)
        {
            fields.SetName(Name);
        }

        BundleFields.RequireNoReceipt(Receipt);
        var errors = new List<EntryError>();
        foreach (var entry in Entries ?? [])
        {
            if (entry?.Fault is { } reason)
            {
                errors.Add(new(fields.Entries.Count, entry.Id ?? "", reason));
            }

            var id = entry?.Id ?? "";
            fields.Entries.Add(new RequestedEntry(id, entry?.Name ?? id, entry?.Size, entry?.ETag));
        }

        if (errors.Count > 0)
        {
            throw BundleRefusal.BadRequest("Some entries cannot be bundled.", errors);
        }
    }

    // A path can hold names from the client; only those that we know ourselves are shown again.
    private static bool IsPlain(string? path) => path is { Length: <= 64 } && path.All(c => char.IsAsciiLetterOrDigit(c) || c is '$' or '.' or '[' or ']');

    internal sealed class Entry
    {
        public string? Id { get; init; }

        public string? Name { get; init; }

        public long? Size { get; init; }

        [JsonPropertyName("etag")]
        public string? ETag { get; init; }

        public string? Sha256 { get; init; }

        [JsonIgnore]
        public string? Fault =>
            Sha256 is not null ? "sha256 is not offered"
            : ETag is not null && !(EntityTagHeaderValue.TryParse(ETag, out var tag) && !tag.IsWeak) ? "etag is no strong entity tag with its quotes"
            : null;
    }
}
