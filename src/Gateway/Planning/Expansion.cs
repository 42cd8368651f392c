using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Objects;
using Gateway.Storage.Paths;
using Gateway.Storage.Sources;

namespace Gateway.Planning;

/// <summary>The entries of a request whose folders are replaced by what is in them, and what is wrong with them.</summary>
/// <remarks>Used by one thread.</remarks>
internal sealed class Expansion(BundleRequest request, NameOptions names)
{
    private readonly List<ResolvedEntry> _entries = [];
    private readonly List<(EntryError Error, StorageException? Failure)> _faults = [];

    private bool Skips => request.Missing == MissingPolicy.Skip;

    /// <summary>Adds an entry that is no folder.</summary>
    public void Add(ResolvedEntry entry) => _entries.Add(entry with { Index = _entries.Count });

    /// <summary>Adds the objects of a folder.</summary>
    public async ValueTask AddFolderAsync(ResolvedEntry folder, IReadOnlyList<ListedObject> objects)
    {
        var isEmpty = true;
        foreach (var listed in objects)
        {
            var key = folder.Object.Key + listed.Key;
            if (!await folder.Object.Source.ServesAsync(key, folder.Object.Client))
            {
                // A more specific route serves it. This client may not be permitted to know its key.
                continue;
            }

            isEmpty = false;
            var requested = new RequestedEntry(folder.Requested.Id + listed.Key, folder.Requested.GivenName is null ? null : folder.Requested.FolderName + listed.Key);
            if (FindFault(requested, key) is { } fault)
            {
                Omit(folder, requested, fault, null);
            }
            else if (listed.ArchivedAs is { } archived)
            {
                var failure = new StorageException(FailureReason.Archived, $"The object is archived ({archived}) and must be restored first.");
                _faults.Add((new EntryError(folder.RequestIndex, requested.Id, failure.Message), failure));
            }
            else
            {
                _entries.Add(new ResolvedEntry(_entries.Count, requested, new ObjectRequest(folder.Object.Source, key, folder.Object.Client) { IsExact = true })
                {
                    RequestIndex = folder.RequestIndex,
                    IsListed = true,

                    // A listing reports the stored size.
                    Listed = folder.Object.Source.Decodes ? null : ObjectStore.Describe(listed),
                });
            }
        }

        if (isEmpty)
        {
            Omit(folder, folder.Requested, $"nothing under '{HiddenCharacters.Escape(folder.Requested.Id)}'", new StorageException(FailureReason.NotFound));
        }
    }

    /// <summary>The bundle without folders.</summary>
    /// <exception cref="BundleProblemException">It names every object that cannot be bundled.</exception>
    public ResolvedBundle Complete()
    {
        CompareNames();
        if (_faults.Count == 0)
        {
            return new ResolvedBundle(request with { Entries = [.. _entries.Select(entry => entry.Requested)] }, _entries);
        }

        var failures = _faults.Where(fault => fault.Failure is not null).Select(fault => (fault.Error, fault.Failure!)).ToArray();
        throw failures.Length == _faults.Count
            ? failures.All(failure => failure.Item2.Reason == FailureReason.NotFound)
                ? BundleProblemException.From(FailureReason.ObjectsMissing, [.. failures.Select(failure => failure.Error)])
                : BundleProblemException.FromStorage(failures)
            : BundleProblemException.BadRequest("Some entries cannot be bundled.", [.. _faults.Select(fault => fault.Error)]);
    }

    private string? FindFault(RequestedEntry entry, string key) =>
        EntryNames.UnsafeListed(key) is { } badKey ? $"the key {badKey}"
        : (EntryNames.UnsafeListed(entry.Name) ?? (names.Portable ? EntryNames.Unportable(entry.Name) : null)) is { } badName ? $"the name {badName}"
        : null;

    private void CompareNames()
    {
        bool isAgain;
        do
        {
            isAgain = false;
            foreach (var (entry, fault) in FindCollisions().DistinctBy(fault => fault.Entry.Index))
            {
                if (Skips && entry.IsListed)
                {
                    _entries[entry.Index] = entry with { IsOmitted = true, Listed = null };

                    // Only one collision of each name is found at a time.
                    isAgain = true;
                }
                else
                {
                    _faults.Add((new EntryError(entry.RequestIndex, entry.Requested.Id, fault), null));
                }
            }
        }
        while (isAgain && _faults.Count == 0);
    }

    private List<(ResolvedEntry Entry, string Fault)> FindCollisions()
    {
        var present = _entries.Where(entry => !entry.IsOmitted).ToArray();
        IEnumerable<string> all = present.Select(entry => entry.Requested.Name);
        var faults = new List<(ResolvedEntry Entry, string Fault)>();
        foreach (var (first, second, reason) in EntryNames.Collisions([.. request.HasReceipt ? all.Append(BundleRequest.ReceiptName) : all]))
        {
            var isReceipt = second == present.Length;
            var bad = isReceipt || !present[second].IsListed ? present[first] : present[second];
            var other = isReceipt ? BundleRequest.ReceiptName : (bad == present[first] ? present[second] : present[first]).Requested.Id;
            faults.Add((bad, $"{reason}: '{HiddenCharacters.Escape(other)}'"));
        }

        return faults;
    }

    private void Omit(ResolvedEntry folder, RequestedEntry entry, string fault, StorageException? failure)
    {
        // A store's key may contain what must not reach a terminal raw.
        var shown = HiddenCharacters.Escape(entry.Id, EntryNames.MaxBytes);
        if (Skips)
        {
            _entries.Add(folder with { Index = _entries.Count, Requested = new RequestedEntry(shown), IsOmitted = true });
        }
        else
        {
            _faults.Add((new EntryError(folder.RequestIndex, shown, fault), failure));
        }
    }
}
