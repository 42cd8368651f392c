using Gateway.Archiving;
using Gateway.Responses;
using Gateway.Storage.Objects;

namespace Gateway.Requests;

/// <summary>What happens to an object that is not there.</summary>
internal enum MissingPolicy
{
    /// <summary>Everything is checked first; one that is missing means 404 and no archive.</summary>
    Fail,

    /// <summary>Everything is checked first; missing ones are left out and reported.</summary>
    Skip,

    /// <summary>Nothing is checked first; a missing one cuts the stream.</summary>
    Abort,
}

/// <summary>An entry as it was asked for, its id and name checked.</summary>
/// <param name="Id">Source and key.</param>
/// <param name="OwnName">The name that a manifest gives it, so that the id need not be one; null: the id is the name.</param>
/// <param name="Size">Bytes it must have, or null.</param>
/// <param name="ETag">Strong validator it must have, or null.</param>
/// <param name="Sha256">Hash its bytes must have, or null.</param>
internal sealed record RequestedEntry(string Id, string? OwnName = null, long? Size = null, string? ETag = null, byte[]? Sha256 = null)
{
    /// <summary>Its name in the archive.</summary>
    public string Name => OwnName ?? Id;

    /// <summary>Whether the id holds what only an exact one may hold (<see cref="EntryNames.UnsafeId"/>), and what could be changed on its way to storage.</summary>
    public bool IsExact => OwnName is not null && (Id.Contains("//", StringComparison.Ordinal) || Id.EndsWith('/') || Id.Contains('%', StringComparison.Ordinal));
}

/// <summary>What a client asks for, understood and checked as far as that goes without asking storage.</summary>
internal sealed record BundleRequest(
    IReadOnlyList<RequestedEntry> Entries, ArchiveRecipe Recipe, MissingPolicy Missing, string FileName, bool HasReceipt)
{
    /// <summary>The name of the receipt in an archive.</summary>
    public const string ReceiptName = "MANIFEST.json";

    /// <summary>Whether it is made with the rights of the client that made the link, not with those of the client that uses it.</summary>
    public bool CarriesRights { get; init; }

    /// <summary>The only version that the client may get; null for any.</summary>
    public string? PinnedETag { get; init; }

    /// <summary>Checks ids and names.</summary>
    /// <exception cref="BundleProblemException">It names every bad entry.</exception>
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
            foreach (var (first, second, reason) in EntryNames.Collisions([.. fields.HasReceipt ? allNames.Append(ReceiptName) : allNames]))
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
        if ((entry.OwnName is not null ? EntryNames.UnsafeId(entry.Id) : EntryNames.Unsafe(entry.Id)) is { } badId)
        {
            return $"the id {badId}";
        }

        if ((EntryNames.Unsafe(entry.Name) ?? (names.Portable ? EntryNames.Unportable(entry.Name) : null)) is { } badName)
        {
            return entry.OwnName is not null ? $"the name {badName}" : $"the id, which is the entry's name, {badName}";
        }

        return entry.Size is < 0 or > ObjectHead.MaxSize ? $"the size is not within 0…{ObjectHead.MaxSize}" : null;
    }
}
