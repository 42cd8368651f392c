using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Resuming;

namespace Gateway.Plans;

/// <summary>The entries in order with what is known of them, and the recipe: what decides every byte of the archive. It never changes.</summary>
internal sealed class BundlePlan
{
    private BundlePlan(BundleRequest request, IReadOnlyList<PlannedEntry> entries)
    {
        Request = request;
        All = entries;
        Entries = [.. entries.Where(entry => !entry.IsMissing)];
        Size = Entries.All(entry => entry.Head?.Size is not null)
            ? (long)Int128.Min(Entries.Aggregate(Int128.Zero, (sum, entry) => sum + entry.Head!.Size!.Value), long.MaxValue)
            : null;
        if (Entries.Count > 0 && Entries.All(entry => entry.IsChecked))
        {
            Modified = Entries.Max(entry => entry.Head!.Modified);
            Layout = LayOut();
            ETag = Entries.All(entry => entry.Head!.ETag is not null) ? BundleHash.OfVersion(this) : null;
        }
    }

    public BundleRequest Request { get; }

    public ArchiveRecipe Recipe => Request.Recipe;

    /// <summary>Every entry of the request.</summary>
    public IReadOnlyList<PlannedEntry> All { get; }

    /// <summary>The entries that the archive holds.</summary>
    public IReadOnlyList<PlannedEntry> Entries { get; }

    public int Skipped => All.Count - Entries.Count;

    /// <summary>Uncompressed bytes of all entries; null when the size of any of them is not known.</summary>
    public long? Size { get; }

    /// <summary>Strong, quoted; null when any entry has no strong validator or was not checked.</summary>
    public string? ETag { get; }

    /// <summary>Where every byte of the archive comes from; null when nothing was checked.</summary>
    public ArchiveLayout? Layout { get; }

    /// <summary>The newest entry's time; null when nothing was checked.</summary>
    public DateTimeOffset? Modified { get; }

    /// <summary>Names the archive, for what is known of it from earlier requests.</summary>
    public ArchiveIdentity Identity => new(ETag, Layout, Request.HasReceipt);

    /// <summary>Derives the plan from its entries. Missing ones are left out of the archive.</summary>
    /// <exception cref="BundleProblemException">413: no archive can be so large.</exception>
    public static BundlePlan Create(BundleRequest request, IReadOnlyList<PlannedEntry> entries) => new(request, entries);

    private ArchiveLayout LayOut()
    {
        var entries = Entries.Select(entry => new ArchiveEntry(entry.Name, entry.Head!.Size!.Value, entry.Head.Modified));
        try
        {
            return ArchiveLayout.Create(Recipe, [.. Request.HasReceipt ? entries.Append(BundleReceipt.GetEntry(All)) : entries]);
        }
        catch (OverflowException)
        {
            throw BundleProblemException.TooLarge("The archive would have more than 2^63 bytes.");
        }
    }
}
