using System.Buffers;
using System.Globalization;
using Gateway.Archiving;
using Gateway.Responses;
using Gateway.Storage.Paths;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Requests;

/// <summary>
/// The fields of a request before they are validated. A query, an HTML form and a manifest have the same fields, and each field is read in the same way.
/// </summary>
internal sealed class BundleFields(int maxEntries)
{
    /// <summary>Upper bound of a form or manifest, in bytes: 10,000 entries with long names and validators.</summary>
    public const int MaxBodyBytes = 8 * 1024 * 1024;

    private static readonly SearchValues<char> Separators = SearchValues.Create(",\r\n");
    private static readonly string[] Known = ["ids", "id", "format", "compression", "missing", "name", "receipt", "expiresIn", "pin"];
    private const int MaxShownName = 40;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    public List<RequestedEntry> Entries { get; } = [];

    public ArchiveFormat Format { get; private set; } = ArchiveFormat.TarGz;

    public Compression? Compression { get; private set; }

    public MissingPolicy Missing { get; private set; }

    /// <summary>Seconds that a link to the bundle may be used; null: as long as links may.</summary>
    public long? ExpiresIn { get; set; }

    /// <summary>Whether a link is pinned to the version that the bundle has when the link is made.</summary>
    public bool Pin { get; set; }

    /// <summary>Whether the last entry says what the others are.</summary>
    public bool HasReceipt { get; private set; }

    /// <summary>Name of the download without extension, free of everything a file system or a header would mind.</summary>
    public string FileName { get; private set; } = "bundle";

    /// <summary>Reads the parameters of a GET or HEAD.</summary>
    /// <param name="query">With its question mark, or empty.</param>
    /// <param name="maxEntries">Reading stops at the first entry too many, so that a request with too many costs no more.</param>
    /// <exception cref="BundleProblemException">They cannot be read.</exception>
    public static BundleFields FromQuery(string? query, int maxEntries)
    {
        var fields = new BundleFields(maxEntries);
        foreach (var pair in new QueryStringEnumerable(query))
        {
            var name = pair.DecodeName().ToString();
            if (!PercentEncoding.IsUtf8(pair.EncodedName.Span) || !PercentEncoding.IsUtf8(pair.EncodedValue.Span))
            {
                throw BundleProblemException.BadRequest(
                    $"The parameter '{HiddenCharacters.Escape(name, MaxShownName)}' is not UTF-8. Encode the text as UTF-8 first, then percent-encode it.");
            }

            fields.Set(name, pair.DecodeValue().ToString(), isForm: false);
        }

        return fields;
    }

    /// <summary>Reads a manifest.</summary>
    public static BundleFields FromManifest(ReadOnlySpan<byte> json, int maxEntries)
    {
        var fields = new BundleFields(maxEntries);
        ManifestReader.Read(json, maxEntries).CopyTo(fields);
        return fields;
    }

    /// <summary>Reads the manifest of a link.</summary>
    public static BundleFields FromLink(ReadOnlySpan<byte> json, int maxEntries)
    {
        var fields = new BundleFields(maxEntries);
        ManifestReader.ReadLink(json, maxEntries).CopyTo(fields);
        return fields;
    }

    /// <summary>Reads an HTML form.</summary>
    public static async Task<BundleFields> FromFormAsync(ArraySegment<byte> form, int maxEntries)
    {
        if (form.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..])
        {
            throw BundleProblemException.BadRequest("The body is JSON, but its Content-Type is that of a form. Send Content-Type: application/json.");
        }

        if (!PercentEncoding.IsUtf8(form))
        {
            throw BundleProblemException.BadRequest("The form is not UTF-8. Encode the text as UTF-8 first, then percent-encode it.");
        }

        // The framework's streaming reader keeps the order of the fields; its dictionary would not.
        var fields = new BundleFields(maxEntries);
        using var body = new MemoryStream(form.Array!, form.Offset, form.Count, writable: false);
        using var reader = new FormReader(body) { KeyLengthLimit = 64, ValueLengthLimit = MaxBodyBytes };
        try
        {
            while (await reader.ReadNextPairAsync() is { } pair)
            {
                fields.Set(pair.Key, pair.Value, isForm: true);
            }
        }
        catch (InvalidDataException)
        {
            throw BundleProblemException.BadRequest("The form cannot be read: a field or its name is too long.");
        }

        return fields;
    }

    /// <summary>Whether a query has a parameter of this name.</summary>
    public static bool IsParameter(string name) => Known.Contains(name, StringComparer.Ordinal);

    public void SetFormat(string value) => Format = FormatNames.Parse(value);

    public void SetCompression(string value) => Compression = value switch
    {
        "fast" => Archiving.Compression.Fast,
        "small" => Archiving.Compression.Small,
        "store" => Archiving.Compression.Store,
        _ => throw BundleProblemException.BadRequest("compression: one of fast, small, store."),
    };

    public void SetMissing(string value) => Missing = value switch
    {
        "fail" => MissingPolicy.Fail,
        "skip" => MissingPolicy.Skip,
        "abort" => MissingPolicy.Abort,
        _ => throw BundleProblemException.BadRequest("missing: one of fail, skip, abort."),
    };

    public void SetReceipt(bool value) => HasReceipt = value;

    public void Add(RequestedEntry entry)
    {
        if (Entries.Count == maxEntries)
        {
            throw TooMany(maxEntries);
        }

        Entries.Add(entry);
    }

    public static BundleProblemException TooMany(int maxEntries) => BundleProblemException.TooLarge($"A bundle holds at most {maxEntries} entries.");

    public void SetName(string value) => FileName = DownloadName.From(value);

    private void Set(string field, string value, bool isForm)
    {
        if (field is not ("id" or "ids") && !_seen.Add(field))
        {
            throw BundleProblemException.BadRequest($"{field}: given more than once.");
        }

        switch (field)
        {
            case "id":
                AddId(value);
                break;
            case "ids":
                AddMany(value, isForm);
                break;
            case "format":
                SetFormat(value);
                break;
            case "compression":
                SetCompression(value);
                break;
            case "missing":
                SetMissing(value);
                break;
            case "name":
                SetName(value);
                break;
            case "receipt":
                SetReceipt(Flag(field, value));
                break;
            case "pin":
                Pin = Flag(field, value);
                break;
            case "expiresIn":
                ExpiresIn = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                    ? seconds
                    : throw BundleProblemException.BadRequest("expiresIn: a number of seconds.");
                break;
            default:
                throw BundleProblemException.BadRequest(
                    $"There is no parameter '{HiddenCharacters.Escape(field, MaxShownName)}'. {HintFor(field)}Known: ids, id, format, compression, missing, name, receipt; for a link also expiresIn and pin.");
        }
    }

    /// <summary>How to write what was probably meant.</summary>
    private static string HintFor(string field) =>
        field.Split('[', 2)[0] is var stem && stem != field && IsParameter(stem) ? (stem is "ids" or "id" ? "Write ids=a,b or repeat ids=. " : $"Write {stem}=. ")
        : Known.FirstOrDefault(known => known.Equals(field, StringComparison.OrdinalIgnoreCase)) is { } known ? $"Write '{known}'. "
        : "";

    private void AddMany(string ids, bool isForm)
    {
        // A form's text area ends its lines with CR LF, and usually the last one too. Copying and joining leave a blank or a comma at the end.
        var rest = isForm ? ids.AsSpan().Trim("\r\n") : ids;
        rest = rest is [.. var unspaced, ' '] ? unspaced : rest;
        rest = rest is [.. { Length: > 0 } ended, ','] ? ended : rest;
        while (true)
        {
            var end = isForm ? rest.IndexOfAny(Separators) : rest.IndexOf(',');
            if (end < 0)
            {
                AddId(rest.ToString());
                return;
            }

            AddId(rest[..end].ToString());
            var isCrLf = rest[end] == '\r' && end + 1 < rest.Length && rest[end + 1] == '\n';
            rest = rest[(end + (isCrLf ? 2 : 1))..];
        }
    }

    private static bool Flag(string field, string value) => value switch
    {
        "true" => true,
        "false" => false,
        _ => throw BundleProblemException.BadRequest($"{field}: true or false."),
    };

    private void AddId(string id) => Add(new RequestedEntry(id));
}
