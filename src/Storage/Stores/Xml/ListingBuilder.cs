using Gateway.Storage.Failures;
using Gateway.Storage.Listings;

namespace Gateway.Storage.Stores.Xml;

/// <summary>Collects the objects and folders of a page, and requires of them what holds for every store.</summary>
/// <param name="prefix">What was listed.</param>
internal sealed class ListingBuilder(string prefix)
{
    // Azure's largest page; S3 and Google send 1,000. A larger page would be memory that was not requested.
    private const int MaxEntries = 5000;
    private const int MaxTokenBytes = 4 * 1024;

    private readonly List<ListedObject> _objects = [];
    private readonly List<string> _folders = [];

    /// <summary>Adds an object.</summary>
    /// <param name="listed">With its whole key, as the store wrote it.</param>
    public void Add(ListedObject listed)
    {
        RequireRoom();
        _objects.Add(listed);
    }

    /// <summary>Adds a folder.</summary>
    /// <param name="key">Its whole key, as the store wrote it.</param>
    public void AddFolder(string key)
    {
        RequireRoom();
        _folders.Add(key);
    }

    /// <summary>The page.</summary>
    /// <param name="decode">Decodes a key: whether keys are encoded may be known only at the end.</param>
    /// <param name="next">The store's token for the next page, or null.</param>
    /// <exception cref="StorageException">The store cannot have meant this page.</exception>
    public ListingPage Build(Func<string, string> decode, string? next)
    {
        if (next is not null && (next.Length == 0 || ListingText.ToBytes(next).Length > MaxTokenBytes))
        {
            throw ListingFailures.Invalid(next.Length == 0 ? "is truncated but has no token for the next page" : "has a token of more than 4 KiB");
        }

        var known = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < _objects.Count; i++)
        {
            _objects[i] = _objects[i] with { Key = GetKey(_objects[i].Key) };
        }

        for (var i = 0; i < _folders.Count; i++)
        {
            _folders[i] = GetKey(_folders[i]);
            if (_folders[i].IndexOf('/', StringComparison.Ordinal) != _folders[i].Length - 1 || _folders[i].Length == 0)
            {
                throw ListingFailures.Invalid("contains a folder that is not one level below the prefix");
            }
        }

        return new ListingPage(_objects, _folders, next);

        string GetKey(string raw)
        {
            var key = decode(raw);
            if (key.Length == 0)
            {
                throw ListingFailures.Invalid("contains an object without a key");
            }

            // Also requires that it is valid Unicode.
            _ = ListingText.ToBytes(key);
            if (!key.StartsWith(prefix, StringComparison.Ordinal))
            {
                throw ListingFailures.Invalid("contains a key outside of the prefix");
            }

            return known.Add(key) ? key[prefix.Length..] : throw ListingFailures.Invalid("contains a key twice");
        }
    }

    private void RequireRoom()
    {
        if (_objects.Count + _folders.Count == MaxEntries)
        {
            throw ListingFailures.Invalid("has more than 5,000 entries in one page");
        }
    }
}
