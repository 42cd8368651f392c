using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Gateway.Responses;
using Gateway.Storage.Paths;

namespace Gateway.Requests;

/// <summary>
/// Reads a manifest from its bytes. An error is reported with its JSON path, with line and byte, and with what is expected there. A
/// serializer would report the names of our types.
/// </summary>
internal ref struct ManifestReader
{
    // The manifest is three levels deep.
    private const int MaxDepth = 8;

    private static readonly string[] Fields = ["name", "format", "compression", "missing", "receipt", "entries", "expiresIn", "pin"];
    private static readonly string[] EntryFields = ["id", "name", "size", "etag", "sha256"];

    // The gateway has written the manifest of a link itself. A client must not choose among old versions.
    private static readonly string[] LinkEntryFields = [.. EntryFields, "version"];
    private static readonly SearchValues<byte> Blanks = SearchValues.Create(" \t\r\n"u8);

    private readonly ReadOnlySpan<byte> _text;
    private readonly int _maxEntries;
    private readonly string[] _entryFields;
    private Utf8JsonReader _json;

    private ManifestReader(ReadOnlySpan<byte> text, int maxEntries, string[] entryFields)
    {
        _entryFields = entryFields;
        _text = text;
        _maxEntries = maxEntries;
        _json = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });
    }

    /// <summary>Reads a manifest.</summary>
    /// <param name="utf8">The body of a request.</param>
    /// <param name="maxEntries">Reading stops at the first entry too many.</param>
    /// <exception cref="BundleProblemException">400 or 413.</exception>
    public static BundleManifest Read(ReadOnlySpan<byte> utf8, int maxEntries) => Read(utf8, maxEntries, EntryFields);

    /// <summary>Reads the manifest of a link.</summary>
    /// <param name="utf8">What <see cref="BundleManifest.ToBytes"/> returned.</param>
    /// <param name="maxEntries">Reading stops at the first entry too many.</param>
    /// <exception cref="BundleProblemException">400 or 413.</exception>
    public static BundleManifest ReadLink(ReadOnlySpan<byte> utf8, int maxEntries) => Read(utf8, maxEntries, LinkEntryFields);

    private static BundleManifest Read(ReadOnlySpan<byte> utf8, int maxEntries, string[] entryFields)
    {
        var text = utf8.StartsWith(Encoding.UTF8.Preamble) ? utf8[Encoding.UTF8.Preamble.Length..] : utf8;
        if (!text.ContainsAnyExcept(Blanks))
        {
            throw BundleProblemException.BadRequest("The body is empty. A manifest is expected, for example {\"entries\":[{\"id\":\"source/key\"}]}.");
        }

        if (!Utf8.IsValid(text))
        {
            throw BundleProblemException.BadRequest("The manifest is not UTF-8.");
        }

        try
        {
            return new ManifestReader(text, maxEntries, entryFields).ReadManifest();
        }
        catch (JsonException e)
        {
            throw BundleProblemException.BadRequest(string.Create(
                CultureInfo.InvariantCulture, $"The manifest is not JSON: syntax error in line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}."));
        }
    }

    private BundleManifest ReadManifest()
    {
        _json.Read();
        var manifest = new BundleManifest();
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            throw Fault("$", "an object with 'entries' is expected");
        }

        var seen = 0;
        while (NextField("$", Fields, ref seen) is { } field)
        {
            switch (field)
            {
                case "name":
                    manifest.Name = ReadString("$.name");
                    break;
                case "format":
                    manifest.Format = ReadString("$.format");
                    break;
                case "compression":
                    manifest.Compression = ReadString("$.compression");
                    break;
                case "missing":
                    manifest.Missing = ReadString("$.missing");
                    break;
                case "receipt":
                    manifest.Receipt = ReadFlag("$.receipt");
                    break;
                case "pin":
                    manifest.Pin = ReadFlag("$.pin");
                    break;
                case "expiresIn":
                    manifest.ExpiresIn = ReadNumber("$.expiresIn", "a whole number of seconds");
                    break;
                default:
                    manifest.Entries = ReadEntries();
                    break;
            }
        }

        // What follows the object is a syntax error.
        _json.Read();
        return manifest;
    }

    private List<BundleManifest.Entry> ReadEntries()
    {
        if (_json.TokenType != JsonTokenType.StartArray)
        {
            throw Fault("$.entries", "an array of objects is expected, each with an id");
        }

        var entries = new List<BundleManifest.Entry>();
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (entries.Count == _maxEntries)
            {
                throw BundleFields.TooMany(_maxEntries);
            }

            entries.Add(ReadEntry(entries.Count));
        }

        return entries;
    }

    private BundleManifest.Entry ReadEntry(int index)
    {
        var entry = new BundleManifest.Entry();
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            throw Fault($"$.entries[{index}]", "an object with an id is expected, for example {\"id\":\"source/key\"}");
        }

        var start = _json.TokenStartIndex;
        var seen = 0;
        while (NextField($"$.entries[{index}]", _entryFields, ref seen) is { } field)
        {
            switch (field)
            {
                case "id":
                    entry.Id = ReadString($"$.entries[{index}].id");
                    break;
                case "name":
                    entry.Name = ReadString($"$.entries[{index}].name");
                    break;
                case "size":
                    entry.Size = ReadNumber($"$.entries[{index}].size", "a whole number of bytes");
                    break;
                case "etag":
                    entry.ETag = ReadString($"$.entries[{index}].etag");
                    break;
                case "version":
                    entry.Version = ReadString($"$.entries[{index}].version");
                    break;
                default:
                    entry.Sha256 = ReadString($"$.entries[{index}].sha256");
                    break;
            }
        }

        return entry.Id is not null ? entry : throw Fault($"$.entries[{index}]", "an object with an id is expected", start);
    }

    /// <summary>Moves to the value of the next field; null at the end of the object.</summary>
    /// <param name="path">The object's path.</param>
    /// <param name="known">The fields that it may contain.</param>
    /// <param name="seen">A bit for each of them.</param>
    private string? NextField(string path, string[] known, ref int seen)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }

        for (var i = 0; i < known.Length; i++)
        {
            if (IsField(known[i], path))
            {
                if ((seen & (1 << i)) != 0)
                {
                    throw Fault($"{path}.{known[i]}", "duplicate field");
                }

                seen |= 1 << i;
                _json.Read();
                return known[i];
            }
        }

        throw Fault($"{path}.{HiddenCharacters.Escape(ReadText(path), maxLength: 40)}", $"unknown field; known: {string.Join(", ", known)}");
    }

    private bool IsField(string name, string path)
    {
        try
        {
            return _json.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            throw UnpairedSurrogate(path);
        }
    }

    private string? ReadString(string path) => _json.TokenType switch
    {
        JsonTokenType.String => ReadText(path),
        JsonTokenType.Null => null,
        _ => throw Fault(path, "a string is expected"),
    };

    private string ReadText(string path)
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw UnpairedSurrogate(path);
        }
    }

    private BundleProblemException UnpairedSurrogate(string path) => Fault(path, "an unpaired surrogate is not a character");

    private long? ReadNumber(string path, string expected) =>
        _json.TokenType == JsonTokenType.Null ? null
        : _json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out var number) ? number
        : throw Fault(path, $"{expected} is expected");

    private bool ReadFlag(string path) =>
        _json.TokenType is JsonTokenType.True or JsonTokenType.False ? _json.GetBoolean() : throw Fault(path, "true or false is expected");

    private BundleProblemException Fault(string path, string reason) => Fault(path, reason, _json.TokenStartIndex);

    private BundleProblemException Fault(string path, string reason, long at)
    {
        var before = _text[..(int)at];
        var line = before.Count((byte)'\n') + 1;
        return BundleProblemException.BadRequest(string.Create(
            CultureInfo.InvariantCulture, $"The manifest cannot be read: {path}: {reason} (line {line}, byte {before.Length - before.LastIndexOf((byte)'\n')})."));
    }
}
