using Gateway.Admission;
using Gateway.Archiving;
using Gateway.Requests;
using Gateway.Storage;
using Gateway.Storage.Http;
using Gateway.Storage.Objects;
using Gateway.Storage.Sources;

namespace Gateway.Plans;

/// <summary>One entry of a request, and where its object is.</summary>
/// <param name="Index">Its place among all entries, from 0.</param>
/// <param name="Requested">What the client wrote.</param>
/// <param name="Object">The object.</param>
internal sealed record ResolvedEntry(int Index, RequestedEntry Requested, ObjectRequest Object)
{
    /// <summary>The place in the request of the entry that it comes from: many entries come from one folder.</summary>
    public int RequestIndex { get; init; } = Index;

    /// <summary>Whether it comes from a folder.</summary>
    public bool IsListed { get; init; }

    /// <summary>What a listing reported of the object; null if it must be asked for.</summary>
    public ObjectHead? Listed { get; init; }

    /// <summary>Whether a listing contains it but no archive can, or whether there is nothing in its folder.</summary>
    public bool IsOmitted { get; init; }

    /// <summary>What the manifest states of the object; null when it states nothing.</summary>
    public ObjectHead? Declared => Requested is { Size: null, ETag: null }
        ? null
        : new ObjectHead(Requested.Size, Requested.ETag, DateTimeOffset.UnixEpoch) { IsDeclared = true };
}

/// <summary>A request whose sources are known. Storage was not asked yet.</summary>
internal sealed record ResolvedBundle(BundleRequest Request, IReadOnlyList<ResolvedEntry> Entries)
{
    /// <summary>Whether an entry means all objects of a folder, which are not known yet.</summary>
    public bool HasFolders => Entries.Any(entry => entry is { Requested.IsFolder: true, IsOmitted: false });

    public IEnumerable<Source> Sources => Entries.Select(entry => entry.Object.Source).Distinct();

    /// <summary>Bytes that decoders may hold for it.</summary>
    public long DecoderMemory => Entries.Any(entry => entry.Object.Source.Decodes) ? (long)ContentCodings.MaxDecoderMemory * TransferCounters.MaxMeasuring : 0;

    /// <summary>What an archive of it needs, and can use.</summary>
    public ArchiveMemory GetMemory(UpstreamOptions upstream, int workers) => new(
        Needed: DecoderMemory + (2 * upstream.SmallObject) + ArchiveWriter.GetMaxMemory(Request.Recipe, workers),
        Objects: HasFolders ? upstream.LookaheadBytes : Math.Min(upstream.LookaheadBytes, Entries.Count * 2 * upstream.SmallObject),

        // There is one object at a time.
        Ranges: Entries.Max(entry => entry.Object.Source.ParallelRanges) is > 1 and var ranges ? (long)ranges * upstream.RangeBytes : 0);
}
