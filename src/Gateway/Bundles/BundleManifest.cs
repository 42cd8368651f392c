using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>The JSON body of a POST.</summary>
internal sealed class BundleManifest
{
    private static readonly ConcurrentDictionary<int, JsonSerializerOptions> StrictByMaxEntries = new();
    private static readonly JsonSerializerOptions Short = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,

        // Only the gateway reads it: escapes would make names three times as long.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string? Name { get; init; }

    public string? Format { get; init; }

    public string? Compression { get; init; }

    public string? Missing { get; init; }

    public bool Receipt { get; init; }

    public IReadOnlyList<Entry?>? Entries { get; init; }

    /// <summary>Seconds that a link may be used; of a link only.</summary>
    public long? ExpiresIn { get; init; }

    /// <summary>The same request as a manifest.</summary>
    public static BundleManifest Of(BundleFields fields) => new()
    {
        Name = fields.FileName,
        Format = FormatNames.Of(fields.Format),
        Compression = fields.Compression?.ToString().ToLowerInvariant(),
        Missing = fields.Missing.ToString().ToLowerInvariant(),
        Receipt = fields.HasReceipt,
        Entries = [.. fields.Entries.Select(entry => new Entry
        {
            Id = entry.Id,
            Name = entry.Name == entry.Id ? null : entry.Name,
            Size = entry.Size,
            ETag = entry.ETag,
            Sha256 = entry.Sha256 is { } hash ? Convert.ToHexStringLower(hash) : null,
        })],
    };

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Short);

    public static async Task<BundleManifest> ReadAsync(Stream body, int maxEntries, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<BundleManifest>(body, StrictByMaxEntries.GetOrAdd(maxEntries, Strict), cancellationToken)
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
        var errors = new List<EntryError>();
        foreach (var entry in Entries ?? [])
        {
            if (entry?.Fault is { } reason)
            {
                errors.Add(new(fields.Entries.Count, entry.Id ?? "", reason));
            }

            var id = entry?.Id ?? "";
            fields.Add(new RequestedEntry(id, entry?.Name ?? id, entry?.Size, entry?.ETag, entry?.Hash));
        }

        if (errors.Count > 0)
        {
            throw BundleRefusal.BadRequest("Some entries cannot be bundled.", errors);
        }
    }

    // A path can hold names from the client; only those that we know ourselves are shown again.
    private static bool IsPlain(string? path) => path is { Length: <= 64 } && path.All(c => char.IsAsciiLetterOrDigit(c) || c is '$' or '.' or '[' or ']');

    private static JsonSerializerOptions Strict(int maxEntries) => new(JsonSerializerDefaults.Web)
    {
        AllowDuplicateProperties = false,
        Converters = { new EntriesConverter(maxEntries) },

        // The manifest is three levels deep.
        MaxDepth = 8,
        NumberHandling = JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>Stops at the first entry too many.</summary>
    private sealed class EntriesConverter(int maxEntries) : JsonConverter<IReadOnlyList<Entry?>>
    {
        public override IReadOnlyList<Entry?> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException();
            }

            var entries = new List<Entry?>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (entries.Count == maxEntries)
                {
                    throw BundleFields.TooMany(maxEntries);
                }

                entries.Add(JsonSerializer.Deserialize<Entry>(ref reader, options));
            }

            return entries;
        }

        public override void Write(Utf8JsonWriter writer, IReadOnlyList<Entry?> value, JsonSerializerOptions options) => throw new NotSupportedException();
    }

    internal sealed class Entry
    {
        public string? Id { get; init; }

        public string? Name { get; init; }

        public long? Size { get; init; }

        [JsonPropertyName("etag")]
        public string? ETag { get; init; }

        public string? Sha256 { get; init; }

        [JsonIgnore]
        public byte[]? Hash => Sha256 is { Length: 64 } && Sha256.All(char.IsAsciiHexDigit) ? Convert.FromHexString(Sha256) : null;

        [JsonIgnore]
        public string? Fault =>
            Sha256 is not null && Hash is null ? "sha256 is not 64 hexadecimal digits"
            : ETag is not null && ObjectHead.StrongETag(ETag) != ETag ? "etag is no strong entity tag with its quotes"
            : null;
    }
}
