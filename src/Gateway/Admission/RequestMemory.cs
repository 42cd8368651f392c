using System.Threading.RateLimiting;

namespace Gateway.Admission;

/// <summary>
/// The memory of what one request says, from the first byte of its body to its outcome: the body as far as it has arrived, the
/// manifest that was read from it, and the plan. Growing never waits: a client that sends slowly holds no more than it has sent.
/// </summary>
/// <remarks>One flow at a time.</remarks>
internal sealed class RequestMemory(BundleMemory memory, string client) : IDisposable
{
    // A manifest is in memory as bytes in a buffer that grows by doubling, and as text of two bytes a character.
    private const int BytesPerBodyByte = 4;

    // An estimate of what an entry of a plan costs besides its name: the requested and the planned entry, what storage returned for it, its
    // place in the archive and in a zip's directory, the folded name that collisions are looked for with, and its line in a plan or a receipt.
    private const int BytesPerEntry = 1024;

    private readonly Stack<RateLimitLease> _leases = new();
    private long _bytes;

    /// <summary>Takes memory for bytes of a body.</summary>
    /// <returns>0, or the status code of the refusal: 429 when the client holds its share, 503 when all clients together hold all.</returns>
    public int GrowByBody(long bytes) => Grow(bytes * BytesPerBodyByte);

    /// <summary>Takes memory for a plan.</summary>
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
        var refusal = memory.Grow(client, _bytes, _bytes + bytes, _leases);
        _bytes += bytes;
        return refusal;
    }
}
