using Gateway.Archiving;
using Gateway.Responses;
using Gateway.Storage.Objects;

namespace Gateway.Requests;

/// <summary>What happens if an object does not exist.</summary>
internal enum MissingPolicy
{
    /// <summary>Everything is checked first; a missing object means 404 and no archive.</summary>
    Fail,

    /// <summary>Everything is checked first; missing objects are omitted and reported.</summary>
    Skip,

    /// <summary>Nothing is checked first; a missing object truncates the stream.</summary>
    Abort,
}

/// <summary>A requested entry with a valid id and name.</summary>
/// <param name="Id">Source and key.</param>
/// <param name="GivenName">The name from the manifest, so that the id need not be a valid name; null: the id is the name.</param>
/// <param name="Size">Required size in bytes, or null.</param>
/// <param name="ETag">Required strong validator, or null.</param>
/// <param name="Sha256">Required hash of the bytes, or null.</param>
internal sealed record RequestedEntry(string Id, string? GivenName = null, long? Size = null, string? ETag = null, byte[]? Sha256 = null)
{
    /// <summary>The version id that a store keeps the object by; null: the current version. Only pinned links have it.</summary>
    public string? Version { get; init; }

    /// <summary>Its name in the archive.</summary>
    public string Name => GivenName ?? Id;

    /// <summary>Whether it means every object under the id. A name without a final slash makes it a single key that ends in a slash.</summary>
    public bool IsFolder => Id.EndsWith('/') && GivenName is null or [.., '/'];

    /// <summary>What the names of a folder's objects begin with.</summary>
    public string FolderName => Name == "/" ? "" : Name;

    /// <summary>Whether the id contains what only an exact id may contain (<see cref="EntryNames.UnsafeId"/>), and what could change on
    /// its way to storage.</summary>
    public bool IsExact => !IsFolder && GivenName is not null && (Id.Contains("//", StringComparison.Ordinal) || Id.EndsWith('/') || Id.Contains('%', StringComparison.Ordinal));
}

/// <summary>A client's request, parsed and validated as far as possible without storage.</summary>
internal sealed record BundleRequest(
    IReadOnlyList<RequestedEntry> Entries, ArchiveRecipe Recipe, MissingPolicy Missing, string FileName, bool HasReceipt)
{
    /// <summary>The name of the receipt in an archive.</summary>
    public const string ReceiptName = "MANIFEST.json";

    /// <summary>A request without entries.</summary>
    public static BundleRequest Empty { get; } = new([], new ArchiveRecipe(ArchiveFormat.TarGz, Compression.Fast), MissingPolicy.Fail, "", false);

    /// <summary>Whether it has the rights of the client that created the link, not of the client that uses it.</summary>
    public bool CarriesRights { get; init; }

    /// <summary>Whether it is for a link to the version that the bundle has now.</summary>
    public bool IsPinned { get; init; }

    /// <summary>The only version that may be sent; null for any.</summary>
    public string? PinnedETag { get; init; }

    /// <summary>Validates ids and names.</summary>
    /// <exception cref="BundleProblemException">It lists every invalid entry.</exception>
    public static BundleRequest Create(BundleFields fields, CompressionOptions compression, NameOptions names)
    {
        var entries = fields.Entries;
        if (entries.Count == 0)
        {
            throw BundleProblemException.BadRequest("No ids were given.");
        }

        var errors = new List<EntryError>();
        for (var i = 0; i < entries.Count; i++)
        {
            if (Fault(entries[i], names) is { } reason)
            {
                errors.Add(new(i, entries[i].Id, reason));
            }
        }

        if (errors.Count == 0)
        {
            var named = new HashSet<int>();
            IEnumerable<string> allNames = entries.Select(entry => entry.Name);

            // The names in folders are compared when they are known.
            foreach (var (first, second, reason) in entries.Any(entry => entry.IsFolder) ? [] : EntryNames.Collisions([.. fields.HasReceipt ? allNames.Append(ReceiptName) : allNames]))
            {
                foreach (var index in new[] { first, second }.Where(index => index < entries.Count && named.Add(index)))
                {
                    errors.Add(new(index, entries[index].Id, second < entries.Count ? $"{reason}: entries {first} and {second}" : $"{reason}: the receipt is {ReceiptName}"));
                }
            }
        }

        if (errors.Count > 0)
        {
            throw BundleProblemException.BadRequest("Some entries cannot be bundled.", errors);
        }

        return new BundleRequest(
            entries, new ArchiveRecipe(fields.Format, fields.Compression ?? compression.Default, compression.Encoder), fields.Missing, DownloadName.WithoutExtension(fields.FileName, fields.Format), fields.HasReceipt);
    }

    private static string? Fault(RequestedEntry entry, NameOptions names)
    {
        if (entry.IsFolder)
        {
            return FolderFault(entry, names);
        }

        if ((entry.GivenName is not null ? EntryNames.UnsafeId(entry.Id) : EntryNames.Unsafe(entry.Id)) is { } badId)
        {
            return $"the id {badId}";
        }

        if ((EntryNames.Unsafe(entry.Name) ?? (names.Portable ? EntryNames.Unportable(entry.Name) : null)) is { } badName)
        {
            return entry.GivenName is not null ? $"the name {badName}" : $"the id, which is the entry's name, {badName}";
        }

        return entry.Size is < 0 or > ObjectHead.MaxSize ? $"the size is not within 0…{ObjectHead.MaxSize}" : null;
    }

    private static string? FolderFault(RequestedEntry entry, NameOptions names)
    {
        // The path that is sent must end in exactly this key, so text that looks encoded is part of it.
        if (EntryNames.UnsafeListed(entry.Id[..^1]) is { } badId)
        {
            return $"the id {badId}";
        }

        if (entry.GivenName is { Length: > 1 } name && (EntryNames.Unsafe(name[..^1]) ?? (names.Portable ? EntryNames.Unportable(name[..^1]) : null)) is { } badName)
        {
            return $"the name {badName}";
        }

        return entry is { Size: null, ETag: null, Sha256: null } ? null : "the id of a folder has no size, etag or sha256";
    }
}
