using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Objects;
using Gateway.Storage.Sources;

namespace Gateway.Bundles;

/// <summary>Describes one level of a folder, a page at a time.</summary>
internal sealed class FolderLister(ObjectStore store)
{
    /// <summary>The reason if the client's token cannot be used.</summary>
    public const string InvalidToken = "after: is not the 'next' of a page of this folder.";

    private const int PageSize = 1000;

    /// <summary>The sources that can be listed, as folders.</summary>
    public static FolderDocument Describe(IEnumerable<Source> sources) =>
        new("", [.. sources.OrderBy(source => source.Name, StringComparer.Ordinal).Select(source => new FolderDocument.Folder($"{source.Name}/", source.Name))], [], 0, null);

    /// <summary>One page of a folder.</summary>
    /// <param name="run">Has the folder as its only entry.</param>
    /// <param name="token">The store's token of the previous page; null: the first page.</param>
    /// <exception cref="BundleProblemException">There is no such folder, or storage fails.</exception>
    public async Task<FolderDocument> ListAsync(BundleRun run, string? token)
    {
        var folder = run.Bundle!.Entries[0];
        try
        {
            var page = await run.Record.WaitForUpstreamAsync(store.ListAsync(folder.Object, new ListingRequest(IsOneLevel: true, PageSize, token), run.Record.Transfer, run.Stopped));
            return page.Objects.Count + page.Folders.Count > 0 || token is not null || page.Next is not null || folder.Object.Key.Length == 0
                ? await DescribeAsync(folder, page)
                : throw new StorageException(FailureReason.NotFound);
        }
        catch (StorageException e) when (e.Reason == FailureReason.NotFound)
        {
            throw BundleProblemException.From(FailureReason.ObjectsMissing, [new EntryError(0, folder.Requested.Id, $"nothing under '{folder.Requested.Id}'")]);
        }
        catch (StorageException e) when (token is not null && e.UpstreamStatusCode == StatusCodes.Status400BadRequest)
        {
            // The token may have expired.
            throw BundleProblemException.BadRequest(InvalidToken);
        }
        catch (StorageException e)
        {
            throw BundleProblemException.FromStorage((new EntryError(0, folder.Requested.Id, e.Message), e));
        }
    }

    private static async Task<FolderDocument> DescribeAsync(ResolvedEntry folder, ListingPage page)
    {
        var objects = await WithinSourceAsync(folder, page.Objects.Where(listed => !listed.IsMarker), listed => listed.Key);
        var folders = await WithinSourceAsync(folder, page.Folders, name => name);
        var safeObjects = objects.Where(listed => IsSafe(folder, listed.Key)).ToArray();
        var safeFolders = folders.Where(name => IsSafe(folder, name[..^1])).ToArray();
        return new(
            folder.Requested.Id,
            [.. safeFolders.Select(name => new FolderDocument.Folder(folder.Requested.Id + name, name[..^1]))],
            [.. safeObjects.Select(listed => new FolderDocument.Item(folder.Requested.Id + listed.Key, listed.Key, listed.Size, listed.Modified, listed.ETag))],
            objects.Count - safeObjects.Length + folders.Count - safeFolders.Length,
            page.Next);
    }

    /// <summary>Without what a more specific route serves: this client may not be permitted to know its keys.</summary>
    private static async Task<List<T>> WithinSourceAsync<T>(ResolvedEntry folder, IEnumerable<T> listed, Func<T, string> getKey)
    {
        var found = new List<T>();
        foreach (var one in listed)
        {
            if (await folder.Object.Source.ServesAsync(folder.Object.Key + getKey(one), folder.Object.Client))
            {
                found.Add(one);
            }
        }

        return found;
    }

    private static bool IsSafe(ResolvedEntry folder, string name) => EntryNames.UnsafeListed(folder.Object.Key + name) is null;
}
