using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Responses;
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

    /// <summary>Hash that its bytes must have, or null.</summary>
    public byte[]? Sha256 => requested.Sha256;

    /// <summary>What the object must be; what storage said where it was asked, else what the manifest says.</summary>
    public ObjectHead? Head { get; set; } = requested is { Size: null, ETag: null }
        ? null
        : new ObjectHead(requested.Size, requested.ETag, DateTimeOffset.UnixEpoch) { IsDeclared = true };

    /// <summary>Storage was asked, and has no such object.</summary>
    public bool IsMissing { get; set; }

    /// <summary>Storage was asked.</summary>
    public bool IsChecked { get; set; }

    /// <summary>The object itself, where it had to be read to learn its size.</summary>
    public IObjectReader? Opened { get; set; }
}

/// <summary>The entries in order with what is known of them, and the recipe: what decides every byte of the archive.</summary>
internal sealed class BundlePlan(IReadOnlyList<PlannedEntry> entries, ArchiveRecipe recipe, string fileName, bool hasReceipt) : IAsyncDisposable
{
    public IReadOnlyList<PlannedEntry> All { get; } = entries;

    /// <summary>The entries that the archive will hold.</summary>
    public IReadOnlyList<PlannedEntry> Entries { get; private set; } = [];

    public ArchiveRecipe Recipe { get; } = recipe;

    public string FileName { get; } = fileName;

    /// <summary>Whether a last entry says what the others are.</summary>
    public bool HasReceipt { get; } = hasReceipt;

    /// <summary>Bytes that decoders may hold for it.</summary>
    public long DecoderMemory => All.Any(entry => entry.Request.Source.Decodes) ? (long)ContentCodings.MaxDecoderMemory * TransferCounters.MaxMeasuring : 0;

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
            Layout = LayOut();
            ETag = Entries.All(entry => entry.Head!.ETag is not null) ? Hash(ofVersion: true) : null;
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

    /// <exception cref="BundleProblemException">413: no archive can be so large.</exception>
    private ArchiveLayout LayOut()
    {
        var entries = Entries.Select(entry => new ArchiveEntry(entry.Name, entry.Head!.Size!.Value, entry.Head.Modified));
        try
        {
            return ArchiveLayout.Of(Recipe, [.. HasReceipt ? entries.Append(BundleReceipt.EntryOf(All)) : entries]);
        }
        catch (OverflowException)
        {
            throw BundleProblemException.TooLarge("The archive would have more than 2^63 bytes.");
        }
    }

    /// <summary>Names what is asked for, whatever version of it storage has: a hash of everything that decides a byte except the objects.</summary>
    public string GetRequestHash() => Hash(ofVersion: false);

    /// <summary>A hash of everything that decides a byte, each part with its length so that none can pose as another.</summary>
    private string Hash(bool ofVersion)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(Recipe.Fingerprint);
        Append(HasReceipt ? "receipt" : "");
        foreach (var entry in HasReceipt || !ofVersion ? All : Entries)
        {
            Append(entry.IsMissing && ofVersion ? "missing" : "ok");
            Append(entry.Id);
            Append(entry.Name);
            if (ofVersion && entry is { IsMissing: false, Head: { } head })
            {
                Append(head.ETag!);
                Append(string.Create(CultureInfo.InvariantCulture, $"{head.Size} {head.Modified.ToUnixTimeSeconds()} "));
                if (head.Encoding is { } encoding)
                {
                    Append(head.Stored is null ? encoding : encoding + " decoded");
                }
            }
        }

        // Under another name, or for another tenant, storage may mean another object by the same validator.
        foreach (var request in All.Select(entry => entry.Request).DistinctBy(request => request.Source).Where(request => request.Source.Headers.Count > 0))
        {
            Append(request.Source.Name);
            foreach (var name in request.Source.Headers)
            {
                Append(name);
                Append(request.Caller.Headers[name].ToString());
            }
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
