using Gateway.Storage.Failures;
using Gateway.Storage.Listings;

namespace Gateway.Storage.Stores.Folder;

/// <summary>Collects one page of a folder.</summary>
/// <param name="folder">The folder of the source, which no link may leave.</param>
/// <param name="segments">The folder in it that is listed.</param>
/// <param name="request">The page.</param>
internal sealed class FolderWalk(string folder, IReadOnlyList<string> segments, ListingRequest request)
{
    // Each depth holds a handle and the names of a folder.
    private const int MaxDepth = 128;

    // A page of folders without files would otherwise take as long as there are folders.
    private const int MaxFoldersPerPage = 10_000;

    // What .NET shows for a name that is not UTF-8.
    private const char Undecodable = '\uFFFD';

    private readonly List<ListedObject> _objects = [];
    private readonly List<string> _folders = [];
    private readonly List<string> _realPaths = [];
    private string? _last = request.Token;
    private int _opened;

    /// <summary>The page; null if there is no such folder.</summary>
    /// <exception cref="StorageException">A folder is too deep.</exception>
    /// <exception cref="IOException">A folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public ListingPage? Run()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(request.PageSize, 1);
        using var start = FolderPath.TryOpenFolder(folder, segments);
        if (start is null)
        {
            return null;
        }

        var isComplete = Visit(start, "");
        return new ListingPage(_objects, _folders, isComplete ? null : _last);
    }

    /// <returns>False if the page ends before the folder does.</returns>
    private bool Visit(OpenFolder open, string prefix)
    {
        _opened++;
        _realPaths.Add(open.RealPath);
        foreach (var key in GetKeys(open, prefix))
        {
            if (_objects.Count + _folders.Count >= request.PageSize)
            {
                return false;
            }

            _last = key;
            if (!key.EndsWith('/'))
            {
                AddFile(open, key, prefix.Length);
            }
            else if (!VisitFolder(open, key, prefix.Length))
            {
                return false;
            }
        }

        _realPaths.RemoveAt(_realPaths.Count - 1);
        return true;
    }

    /// <summary>The keys of a folder's entries that are, or that contain keys that are, after the previous page.</summary>
    private List<string> GetKeys(OpenFolder open, string prefix)
    {
        var keys = new List<string>();
        foreach (var name in open.GetNames())
        {
            var key = prefix + name;
            if (request.Token is null || KeyOrder.Instance.Compare(key, request.Token) > 0 || (!request.IsOneLevel && IsFolderOf(key, request.Token)))
            {
                keys.Add(key);
            }
        }

        keys.Sort(KeyOrder.Instance);
        return keys;
    }

    private static bool IsFolderOf(string key, string other) => key.EndsWith('/') && other.StartsWith(key, StringComparison.Ordinal);

    private void AddFile(OpenFolder open, string key, int nameAt)
    {
        var name = key[nameAt..];
        switch (open.Describe(name))
        {
            case { Kind: FileKind.Regular } file:
                _objects.Add(Create(key, file.Length, file.Modified));
                break;
            case { Kind: FileKind.Link }:
                using (var target = FolderFile.TryOpen(folder, GetSegments(key)))
                {
                    if (target is not null)
                    {
                        _objects.Add(Create(key, target.Length, target.Modified.UtcDateTime));
                    }
                }

                break;
            case null when name.Contains(Undecodable, StringComparison.Ordinal):
                AddUndecodable(key);
                break;
        }
    }

    /// <returns>False if the page ends in the folder, or before it.</returns>
    private bool VisitFolder(OpenFolder parent, string key, int nameAt)
    {
        if (_opened >= MaxFoldersPerPage && !request.IsOneLevel)
        {
            // The next page begins with this folder: its keys are after that of the folder.
            return false;
        }

        var name = key[nameAt..^1];
        using var open = parent.Describe(name)?.Kind switch
        {
            FileKind.Folder => parent.TryOpen(name),
            FileKind.Link => FolderPath.TryOpenFolder(folder, GetSegments(key[..^1])),
            _ => null,
        };
        if (open is null)
        {
            if (parent.Describe(name) is { Kind: FileKind.Folder })
            {
                // Its files would be missing. One that is gone is none, and a link may lead anywhere.
                throw new IOException("The folder cannot be opened.");
            }

            if (parent.Describe(name) is null && name.Contains(Undecodable, StringComparison.Ordinal))
            {
                AddUndecodable(key[..^1]);
            }

            return true;
        }

        // A link to an ancestor would never end.
        if (_realPaths.Any(path => IsSameOrInside(path, open.RealPath)))
        {
            return true;
        }

        if (request.IsOneLevel)
        {
            _folders.Add(key);
            return true;
        }

        if (_realPaths.Count == MaxDepth)
        {
            throw new StorageException(FailureReason.StorageError, $"A folder cannot be read: it is more than {MaxDepth} levels deep.");
        }

        return Visit(open, key);
    }

    /// <summary>It exists, but no key can name it. A reader must learn of it.</summary>
    private void AddUndecodable(string key) => _objects.Add(new ListedObject(key, 0, null, DateTimeOffset.UnixEpoch));

    private static bool IsSameOrInside(string path, string ancestor) =>
        path.StartsWith(ancestor, StringComparison.Ordinal) && (path.Length == ancestor.Length || path[ancestor.Length] == Path.DirectorySeparatorChar);

    private IEnumerable<string> GetSegments(string key) => [.. segments, .. key.Split('/')];

    private static ListedObject Create(string key, long length, DateTime modified) => new(
        key, length, FolderFile.GetETag(modified, length), DateTimeOffset.FromUnixTimeSeconds(new DateTimeOffset(modified, TimeSpan.Zero).ToUnixTimeSeconds()));
}
