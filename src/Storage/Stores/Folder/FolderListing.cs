using Gateway.Storage.Failures;
using Gateway.Storage.Listings;

namespace Gateway.Storage.Stores.Folder;

/// <summary>Lists a folder in the order of its keys, one page at a time.</summary>
/// <remarks>
/// A page begins after a key, so nothing is kept between pages. Folders that end before that key are not read. Of the others the names of
/// one folder at each depth are in memory.
/// </remarks>
internal static class FolderListing
{
    private const string Unreadable = "A folder cannot be read.";

    /// <summary>Reads a page.</summary>
    /// <param name="folder">The folder of the source.</param>
    /// <param name="segments">The folder in it that is listed; empty: the folder itself.</param>
    /// <param name="request">The page. Its token is the last key of the previous page.</param>
    /// <returns>Null if there is no such folder.</returns>
    /// <exception cref="StorageException">A folder cannot be read.</exception>
    public static ListingPage? Read(string folder, IReadOnlyList<string> segments, ListingRequest request)
    {
        try
        {
            return new FolderWalk(folder, segments, request).Run();
        }
        catch (Exception e) when (e is (IOException and not StorageException) or UnauthorizedAccessException)
        {
            throw new StorageException(FailureReason.StorageError, Unreadable, inner: e);
        }
    }
}
