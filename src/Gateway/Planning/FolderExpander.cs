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
    private const int PageSize = 1000;
    private const int ExtraPages = 16;

    // A page can have 8 MiB.
    private const int MaxAtOnce = 4;

    private readonly int _maxEntries = limits.Value.MaxEntries;

    /// <summary>Lists every folder.</summary>
    /// <exception cref="BundleProblemException">A folder is empty, has too many objects or some that no archive can hold; or storage fails.</exception>
    public async Task<ResolvedBundle> ExpandAsync(ResolvedBundle bundle, BundleRun run)
    {
        var folders = bundle.Entries.Where(entry => entry.Requested.IsFolder).ToArray();
        var listings = new Dictionary<int, Task<List<ListedObject>>>();
        using var slots = new SemaphoreSlim(MaxAtOnce);
        var total = new Total(_maxEntries - (bundle.Entries.Count - folders.Length));
        foreach (var folder in folders)
        {
            listings.Add(folder.Index, ListAsync(folder, total, slots, run));
        }

        await WhenAllAsync(listings.Values);
        var expansion = new Expansion(bundle.Request, names.Value);
        foreach (var entry in bundle.Entries)
        {
            if (!listings.TryGetValue(entry.Index, out var listing))
            {
                expansion.Add(entry);
                continue;
            }

            await expansion.AddFolderAsync(entry, await listing);
        }

        return expansion.Complete();
    }

    private static async Task WhenAllAsync(IReadOnlyCollection<Task> tasks)
    {
        // Every one of them must have ended before its failure ends the request, because they use the request.
        await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var task in tasks)
        {
            await task;
        }
    }

    private async Task<List<ListedObject>> ListAsync(ResolvedEntry folder, Total total, SemaphoreSlim slots, BundleRun run)
    {
        await slots.WaitAsync(run.Stopped);
        var isListed = false;
        try
        {
            var objects = new List<ListedObject>();
            string? token = null;
            for (var pages = 0; !total.HasFailed; pages++)
            {
                if (pages > (_maxEntries / PageSize) + ExtraPages)
                {
                    throw new StorageException(FailureReason.InvalidListing, $"Storage sent more than {pages} pages of a listing.");
                }

                var page = await store.ListAsync(folder.Object, new ListingRequest(IsOneLevel: false, PageSize, token), run.Record.Transfer, run.Stopped);
                Take(folder, page, objects, total, run);
                if (page.Next is not { } next)
                {
                    break;
                }

                token = next != token ? next : throw new StorageException(FailureReason.InvalidListing, "Storage sent the same page of a listing twice.");
            }

            isListed = true;
            objects.Sort(static (x, y) => KeyOrder.Instance.Compare(x.Key, y.Key));
            return objects;
        }
        catch (StorageException e) when (e.Reason == FailureReason.NotFound)
        {
            isListed = true;
            return [];
        }
        catch (StorageException e)
        {
            throw BundleProblemException.FromStorage((new EntryError(folder.RequestIndex, folder.Requested.Id, e.Message), e));
        }
        finally
        {
            if (!isListed)
            {
                total.HasFailed = true;
            }

            slots.Release();
        }
    }

    private void Take(ResolvedEntry folder, ListingPage page, List<ListedObject> objects, Total total, BundleRun run)
    {
        // Markers of folders are not objects.
        var found = page.Objects.Where(listed => !(listed.IsDirectory || (listed.Size == 0 && listed.Key is "" or [.., '/']))).ToArray();
        if (!total.TryAdd(found.Length))
        {
            throw BundleProblemException.TooLarge(string.Create(
                CultureInfo.InvariantCulture, $"A bundle holds at most {_maxEntries} entries; there are more objects under '{HiddenCharacters.Escape(folder.Requested.Id)}'."));
        }

        lock (run.RequestMemory)
        {
            BundleRequestReader.Require(run.RequestMemory.GrowByEntries(found.Length));
        }

        objects.AddRange(found);
    }

    /// <summary>All folders together.</summary>
    private sealed class Total(int left)
    {
        private int _left = left;
        private volatile bool _hasFailed;

        /// <summary>Whether a folder has failed: listing the others would only make the client wait.</summary>
        public bool HasFailed
        {
            get => _hasFailed;
            set => _hasFailed = value;
        }

        /// <summary>Counts entries.</summary>
        /// <returns>Whether there are not too many.</returns>
        public bool TryAdd(int count) => Interlocked.Add(ref _left, -count) >= 0;
    }
}
