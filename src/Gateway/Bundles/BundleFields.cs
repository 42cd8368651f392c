using System.Buffers;
using System.Globalization;
using Gateway.Archiving;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Bundles;

/// <summary>
/// The fields of a request before they are judged: from a query, an HTML form, or a manifest. Each field is read the same way
/// wherever it stands.
/// </summary>
internal sealed class BundleFields(int maxEntries)
{
    /// <summary>Upper bound of a form or manifest, in bytes: 10,000 entries with long names and validators.</summary>
    public const int MaxBodyBytes = 8 * 1024 * 1024;

    private static readonly SearchValues<char> Separators = SearchValues.Create(",\r\n");
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    public List<RequestedEntry> Entries { get; } = [];

    public ArchiveFormat Format { get; private set; } = ArchiveFormat.TarGz;

    public Compression? Compression { get; private set; }

    public MissingPolicy Missing { get; private set; }

    /// <summary>Seconds that a link to the bundle may be used; null: as long as links may.</summary>
    public long? ExpiresIn { get; set; }

    /// <summary>Whether the last entry says what the others are.</summary>
    public bool HasReceipt { get; private set; }

    /// <summary>Name of the download without extension, free of everything a file system or a header would mind.</summary>
    public string FileName { get; private set; } = "bundle";

    /// <summary>Reads a request.</summary>
    /// <param name="request">GET, HEAD or POST.</param>
    /// <param name="maxEntries">Reading stops at the first entry too many, so that a request costs no more than it may ask for.</param>
    /// <param name="cancellationToken">Ends the wait for a body.</param>
    public static async Task<BundleFields> ReadAsync(HttpRequest request, int maxEntries, CancellationToken cancellationToken)
    {
        var fields = new BundleFields(maxEntries);
        if (!HttpMethods.IsPost(request.Method))
        {
            foreach (var pair in new QueryStringEnumerable(request.QueryString.Value))
            {
                fields.Set(pair.DecodeName().ToString(), pair.DecodeValue().ToString(), lines: false);
            }
        }
        else if (request.QueryString.HasValue)
        {
            throw BundleRefusal.BadRequest("A POST says everything in its body; its address takes no parameters.");
        }
        else if (request.HasJsonContentType())
        {
            return await OfManifestAsync(request.Body, maxEntries, cancellationToken);
        }
        else if (request.HasFormContentType && request.ContentType!.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            await fields.ReadFormAsync(request.Body, cancellationToken);
        }
        else
        {
            throw new BundleRefusal(
                StatusCodes.Status415UnsupportedMediaType,
                "A POST takes application/json or application/x-www-form-urlencoded.",
                Telemetry.Culprit.Client,
                Telemetry.Stage.Request);
        }

        return fields;
    }

    /// <summary>Reads a manifest.</summary>
    public static async Task<BundleFields> OfManifestAsync(Stream json, int maxEntries, CancellationToken cancellationToken)
    {
        var fields = new BundleFields(maxEntries);
        var manifest = await BundleManifest.ReadAsync(json, maxEntries, cancellationToken);
        manifest.CopyTo(fields);
        return fields;
    }

    public void SetFormat(string value) => Format = FormatNames.Parse(value);

    public void SetCompression(string value) => Compression = value switch
    {
        "fast" => Archiving.Compression.Fast,
        "small" => Archiving.Compression.Small,
        "store" => Archiving.Compression.Store,
        _ => throw BundleRefusal.BadRequest("compression: one of fast, small, store."),
    };

    public void SetMissing(string value) => Missing = value switch
    {
        "fail" => MissingPolicy.Fail,
        "skip" => MissingPolicy.Skip,
        "abort" => MissingPolicy.Abort,
        _ => throw BundleRefusal.BadRequest("missing: one of fail, skip, abort."),
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

    public static BundleRefusal TooMany(int maxEntries) => BundleRefusal.TooLarge($"More entries were asked for than the {maxEntries} there may be.");

    public void SetName(string value) => FileName = DownloadName.From(value);

    private void Set(string field, string value, bool lines)
    {
        if (field is not ("id" or "ids") && !_seen.Add(field))
        {
            throw BundleRefusal.BadRequest($"{field}: given more than once.");
        }

        switch (field)
        {
            case "id":
                AddId(value);
                break;
            case "ids":
                AddMany(value, lines);
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
                SetReceipt(value switch
                {
                    "true" => true,
                    "false" => false,
                    _ => throw BundleRefusal.BadRequest("receipt: true or false."),
                });
                break;
            case "expiresIn":
                ExpiresIn = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                    ? seconds
                    : throw BundleRefusal.BadRequest("expiresIn: a number of seconds.");
                break;
            default:
                throw BundleRefusal.BadRequest("There is an unknown parameter; known: ids, id, format, compression, missing, name, receipt; expiresIn of a link.");
        }
    }

    private void AddMany(string ids, bool lines)
    {
        // A form's text area ends its lines with CR LF, and usually the last one too.
        var rest = lines ? ids.AsSpan().Trim("\r\n") : ids;
        while (true)
        {
            var end = lines ? rest.IndexOfAny(Separators) : rest.IndexOf(',');
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

    private void AddId(string id) => Add(new RequestedEntry(id, id));

    private async Task ReadFormAsync(Stream body, CancellationToken cancellationToken)
    {
        // The framework's streaming reader keeps the order of the fields; its dictionary would not.
        using var reader = new FormReader(body) { KeyLengthLimit = 64, ValueLengthLimit = MaxBodyBytes };
        try
        {
            while (await reader.ReadNextPairAsync(cancellationToken) is { } pair)
            {
                Set(pair.Key, pair.Value, lines: true);
            }
        }
        catch (InvalidDataException)
        {
            throw BundleRefusal.BadRequest("The form cannot be read: a field or its name is too long.");
        }
    }
}
