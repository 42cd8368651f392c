using System.Globalization;
using Gateway.Admission;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Objects;
using Gateway.Storage.Paths;
using Microsoft.Extensions.Options;

namespace Gateway.Planning;

/// <summary>Replaces each folder of a request by the objects in it, at every depth, in the order of their keys.</summary>
/// <remarks>What storage lists is not trusted: every key is checked like an id, and the number of keys, pages and bytes is bounded.</remarks>
internal sealed class FolderExpander(ObjectStore store, IOptions<LimitOptions> limits, IOptions<NameOptions> names)
{
    // Stores return fewer. A folder is read from its beginning for each page.
    private const int PageSize = 10_000;
    private const int ObjectsPerPage = 1000;
    private const int ExtraPages = 16;

    // Each costs at least one request.
    private const int MaxFolders = 100;

    // A page can have 8 MiB.
    private const int MaxAtOnce = 4;

    private readonly int _maxEntries = limits.Value.MaxEntries;

    /// <summary>Lists every folder.</summary>
    /// <exception cref="BundleProblemException">A folder is empty, has too many objects or some that no archive can hold; or storage fails.</exception>
    public async Task<ResolvedBundle> ExpandAsync(ResolvedBundle bundle, BundleRun run)
    {
        var folders = bundle.Entries.Where(entry => entry.Requested.IsFolder).ToArray();
        if (folders.Length > MaxFolders)
        {
            throw BundleProblemException.TooLarge($"A bundle names at most {MaxFolders} folders.");
        }

        var budget = new Budget(_maxEntries - (bundle.Entries.Count - folders.Length), (_maxEntries / ObjectsPerPage) + ExtraPages + folders.Length);
        var listings = new Dictionary<int, List<ListedObject>>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = MaxAtOnce, CancellationToken = run.Stopped };

        // The first failure cancels the others.
        await Parallel.ForEachAsync(folders, parallel, async (folder, token) =>
        {
            var objects = await ListAsync(folder, budget, run, token);
            lock (listings)
            {
                listings.Add(folder.Index, objects);
            }
        });

        var expansion = new Expansion(bundle.Request, names.Value);
        foreach (var entry in bundle.Entries)
        {
            if (listings.TryGetValue(entry.Index, out var objects))
            {
                await expansion.AddFolderAsync(entry, objects);
            }
            else
            {
                expansion.Add(entry);
            }
        }

        return expansion.Complete();
    }

    private async Task<List<ListedObject>> ListAsync(ResolvedEntry folder, Budget budget, BundleRun run, CancellationToken cancellationToken)
    {
        try
        {
            var objects = new List<ListedObject>();
            string? token = null;
            do
            {
                if (!budget.TryTakePage())
                {
                    throw new StorageException(FailureReason.InvalidListing, "Storage sent too many pages of a listing that hold few objects.");
                }

                var page = await store.ListAsync(folder.Object, new ListingRequest(IsOneLevel: false, PageSize, token), run.Record.Transfer, cancellationToken);
                var found = page.Objects.Where(listed => !listed.IsMarker).ToArray();
                if (!budget.TryTakeEntries(found.Length))
                {
                    throw BundleProblemException.TooLarge(string.Create(
                        CultureInfo.InvariantCulture, $"A bundle holds at most {_maxEntries} entries; there are more objects under '{HiddenCharacters.Escape(folder.Requested.Id)}'."));
                }

                Pay(run.RequestMemory, folder.Requested, found);
                objects.AddRange(found);
                token = page.Next is null || page.Next != token ? page.Next : throw new StorageException(FailureReason.InvalidListing, "Storage sent the same page of a listing twice.");
            }
            while (token is not null);
            objects.Sort(static (x, y) => KeyOrder.Instance.Compare(x.Key, y.Key));
            return objects;
        }
        catch (StorageException e) when (e.Reason == FailureReason.NotFound)
        {
            return [];
        }
        catch (StorageException e)
        {
            throw BundleProblemException.FromStorage((new EntryError(folder.RequestIndex, folder.Requested.Id, e.Message), e));
        }
    }

    /// <summary>An entry holds its id, its name and its key.</summary>
    private static void Pay(RequestMemory memory, RequestedEntry folder, ListedObject[] objects)
    {
        BundleRequestReader.Require(memory.GrowByEntries(objects.Length));
        BundleRequestReader.Require(memory.GrowByBody(objects.Sum(listed => (long)folder.Id.Length + listed.Key.Length)));
    }

    /// <summary>What all folders of a request may use together. Any number of threads.</summary>
    private sealed class Budget(int entries, int pages)
    {
        private int _entries = entries;
        private int _pages = pages;

        public bool TryTakeEntries(int count) => Interlocked.Add(ref _entries, -count) >= 0;

        public bool TryTakePage() => Interlocked.Decrement(ref _pages) >= 0;
    }
}
