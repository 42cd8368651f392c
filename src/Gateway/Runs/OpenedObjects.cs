using System.Collections.Concurrent;
using System.Diagnostics;
using Gateway.Storage.Objects;

namespace Gateway.Runs;

/// <summary>Objects that were opened while the plan was made, by the index of their entry in the request.</summary>
/// <remarks>Any number of threads. It owns each reader until <see cref="Take"/> hands it over.</remarks>
internal sealed class OpenedObjects : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, IObjectReader> _readers = new();

    public void Add(int index, IObjectReader reader)
    {
        var isNew = _readers.TryAdd(index, reader);
        Debug.Assert(isNew, "An object was opened twice.");
    }

    /// <summary>The reader of an entry, which stays here; null when there is none.</summary>
    public IObjectReader? Find(int index) => _readers.GetValueOrDefault(index);

    /// <summary>Hands a reader over; null when there is none.</summary>
    public IObjectReader? Take(int index) => _readers.TryRemove(index, out var reader) ? reader : null;

    public async ValueTask DisposeAsync()
    {
        foreach (var index in _readers.Keys)
        {
            if (Take(index) is { } reader)
            {
                await reader.DisposeAsync();
            }
        }
    }
}
