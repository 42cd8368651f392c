using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Responses;
using Gateway.Storage.Http;

namespace Gateway.Requests;

/// <summary>The JSON body of a POST.</summary>
internal sealed class BundleManifest
{
    private static readonly JsonSerializerOptions Short = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,

        // Only the gateway reads it: JSON escapes would make names three times as long.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string? Name { get; set; }

    public string? Format { get; set; }

    public string? Compression { get; set; }

    public string? Missing { get; set; }

    public bool Receipt { get; set; }

    public IReadOnlyList<Entry>? Entries { get; set; }

    /// <summary>Lifetime of a link in seconds; links only.</summary>
    public long? ExpiresIn { get; set; }

    /// <summary>Whether a link is pinned to the bundle's current version; links only.</summary>
    public bool Pin { get; set; }

    /// <summary>Converts a request to a manifest.</summary>
    public static BundleManifest From(BundleFields fields) => new()
    {
        Name = fields.FileName,
        Format = FormatNames.GetName(fields.Format),
        Compression = fields.Compression?.ToString().ToLowerInvariant(),
        Missing = fields.Missing.ToString().ToLowerInvariant(),
        Receipt = fields.HasReceipt,
        Entries = [.. fields.Entries.Select(entry => new Entry
        {
            Id = entry.Id,
            Name = entry.GivenName,
            Size = entry.Size,
            ETag = entry.ETag,
            Sha256 = entry.Sha256 is { } hash ? Convert.ToHexStringLower(hash) : null,
            Version = entry.Version,
        })],
    };

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Short);

    public void CopyTo(BundleFields fields)
    {
        if (Format is not null)
        {
            fields.SetFormat(Format);
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

        fields.SetReceipt(Receipt);
        fields.ExpiresIn = ExpiresIn;
        fields.Pin = Pin;
        var errors = new List<EntryError>();
        foreach (var entry in Entries ?? [])
        {
            if (entry.Fault is { } reason)
            {
                errors.Add(new(fields.Entries.Count, entry.Id!, reason));
            }

            var id = entry.Id!;
            fields.Add(new RequestedEntry(id, entry.Name, entry.Size, entry.ETag, entry.Hash) { Version = entry.Version });
        }

        if (errors.Count > 0)
        {
            throw BundleProblemException.BadRequest("Some entries cannot be bundled.", errors);
        }
    }

    internal sealed class Entry
    {
        public string? Id { get; set; }

        public string? Name { get; set; }

        public long? Size { get; set; }

        [JsonPropertyName("etag")]
        public string? ETag { get; set; }

        public string? Sha256 { get; set; }

        /// <summary>Only in links.</summary>
        public string? Version { get; set; }

        [JsonIgnore]
        public byte[]? Hash => Sha256 is { Length: 64 } && Sha256.All(char.IsAsciiHexDigit) ? Convert.FromHexString(Sha256) : null;

        [JsonIgnore]
        public string? Fault =>
            Sha256 is not null && Hash is null ? "sha256 is not 64 hexadecimal digits"
            : ETag is not null && EntityTag.Strong(ETag) != ETag ? "etag is not a quoted strong entity tag"
            : null;
    }
}
