using System.Collections.Concurrent;

namespace Gateway.Runs;

/// <summary>The runs that have not ended, for those who look after the gateway.</summary>
/// <remarks>Any number of threads. One entry for each request that is being served, so the connections bound it.</remarks>
internal sealed class RunningBundles
{
    private readonly ConcurrentDictionary<string, BundleRun> _runs = new(StringComparer.Ordinal);

    /// <summary>All of them.</summary>
    public IEnumerable<KeyValuePair<string, BundleRun>> All => _runs;

    /// <summary>Adds a run until the returned value is disposed.</summary>
    public IDisposable Add(BundleRun run)
    {
        // It cannot be guessed, so what ends one bundle does not end another one by mistake.
        var id = Guid.NewGuid().ToString("N");
        _runs[id] = run;
        return new Entry(_runs, id);
    }

    /// <summary>Ends a run: its connection is aborted, or it gets an error if nothing has been sent.</summary>
    /// <returns>False if there is no such run.</returns>
    public bool TryEnd(string id)
    {
        if (!_runs.TryGetValue(id, out var run))
        {
            return false;
        }

        run.End();
        return true;
    }

    private sealed class Entry(ConcurrentDictionary<string, BundleRun> runs, string id) : IDisposable
    {
        public void Dispose() => runs.TryRemove(id, out _);
    }
}
