using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>One entry of a plan.</summary>
internal sealed class PlannedEntry(int index, RequestedEntry requested, ObjectRequest request)
{
    /// <summary>Its place in the request, from 0.</summary>
    public int Index { get; } = index;

    public string Id => requested.Id;

    public string Name => requested.Name;

    public ObjectRequest Request { get; } = request;

    /// <summary>What the object must be; what storage said where it was asked, else what the manifest says.</summary>
    public ObjectHead? Head { get; set; } = requested is { Size: null, ETag: null }
        ? null
        : new ObjectHead(requested.Size, requested.ETag, DateTimeOffset.UnixEpoch);

    /// <summary>Storage was asked, and has no such object.</summary>
    public bool IsMissing { get; set; }

    /// <summary>Storage was asked.</summary>
    public bool IsChecked { get; set; }

    /// <summary>The object itself, where it had to be read to learn its size.</summary>
    public ObjectReader? Opened { get; set; }
}

/// <summary>The entries in order with what is known of them, and the recipe: what decides every byte of the archive.</summary>
internal sealed class BundlePlan(IReadOnlyList<PlannedEntry> entries, ArchiveRecipe recipe, string fileName) : IAsyncDisposable
{
    public IReadOnlyList<PlannedEntry> All { get; } = entries;

    /// <summary>The entries that the archive will hold.</summary>
    public IReadOnlyList<PlannedEntry> Entries { get; private set; } = [];

    public ArchiveRecipe Recipe { get; } = recipe;

    public string FileName { get; } = fileName;

    public int Skipped => All.Count - Entries.Count;

    /// <summary>Plain bytes of all entries; null when neither storage nor the manifest has said it of every one.</summary>
    public long? Size { get; private set; }

    /// <summary>Strong, quoted; null when any entry has no strong validator or was not checked.</summary>
    public string? ETag { get; private set; }

    /// <summary>Where everything stands in the archive; null when nothing was checked.</summary>
    public ArchiveLayout? Layout { get; private set; }

    /// <summary>The newest entry's time; null when nothing was checked.</summary>
    public DateTimeOffset? Modified { get; private set; }

    /// <summary>Leaves missing entries out and derives what follows from the rest, as far as it is known.</summary>
    public void Settle()
    {
        Entries = [.. All.Where(entry => !entry.IsMissing)];
        Size = Entries.All(entry => entry.Head?.Size is not null)
            ? (long)Int128.Min(Entries.Aggregate(Int128.Zero, (sum, entry) => sum + entry.Head!.Size!.Value), long.MaxValue)
            : null;
        if (Entries.Count > 0 && Entries.All(entry => entry.IsChecked))
        {
            Modified = Entries.Max(entry => entry.Head!.Modified);
            Layout = ArchiveLayout.Of(Recipe, [.. Entries.Select(entry => new ArchiveEntry(entry.Name, entry.Head!.Size!.Value, entry.Head.Modified))]);
            ETag = Entries.All(entry => entry.Head!.ETag is not null) ? HashOf(Entries, Recipe) : null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var entry in All)
        {
            if (entry.Opened is { } opened)
            {
                entry.Opened = null;
                await opened.DisposeAsync();
            }
        }
    }

    /// <summary>A hash of everything that decides a byte, each part with its length so that none can pose as another.</summary>
    private static string HashOf(IReadOnlyList<PlannedEntry> entries, ArchiveRecipe recipe)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(recipe.Fingerprint);
        foreach (var entry in entries)
        {
            var head = entry.Head!;
            Append(entry.Id);
            Append(entry.Name);
            Append(head.ETag!);
            Append(string.Create(CultureInfo.InvariantCulture, $"{head.Size} {head.Modified.ToUnixTimeSeconds()}"));
        }

        return $"\"{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16))}\"";

        void Append(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }
    }
}
