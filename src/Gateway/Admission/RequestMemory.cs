using System.Threading.RateLimiting;

namespace Gateway.Admission;

/// <summary>
/// The memory of one request's data, from the first byte of its body to its outcome: the body as received so far, the
/// manifest, and the plan. Growing never waits: a slow client holds no more than it has sent.
/// </summary>
/// <remarks>Any number of threads may grow it; one disposes of it when no other uses it.</remarks>
internal sealed class RequestMemory(BundleMemory memory, string client) : IDisposable
{
    // A manifest is in memory as bytes in a buffer that grows by doubling, and as text of two bytes per character.
    private const int BytesPerBodyByte = 4;

    // An estimate of the cost of a plan's entry besides its name: the requested and the planned entry, what storage returned for it, its
    // position in the archive and in a zip's directory, the folded name for collision checks, and its line in a plan or a receipt.
    private const int BytesPerEntry = 1024;

    private readonly Lock _lock = new();
    private readonly Stack<RateLimitLease> _leases = new();
    private long _bytes;

    /// <summary>Reserves memory for bytes of a body.</summary>
    /// <returns>0, or the status code of the rejection: 429 if the client's share is used up, 503 if that of all clients is.</returns>
    public int GrowByBody(long bytes) => Grow(bytes * BytesPerBodyByte);

    /// <summary>Reserves memory for a plan.</summary>
    /// <returns>The same.</returns>
    public int GrowByEntries(int entries) => Grow((long)entries * BytesPerEntry);

    public void Dispose()
    {
        while (_leases.TryPop(out var lease))
        {
            lease.Dispose();
        }

        _bytes = 0;
    }

    private int Grow(long bytes)
    {
        lock (_lock)
        {
            var refusal = memory.Grow(client, _bytes, _bytes + bytes, _leases);
            _bytes += bytes;
            return refusal;
        }
    }
}
