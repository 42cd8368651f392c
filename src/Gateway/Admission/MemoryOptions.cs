using System.ComponentModel.DataAnnotations;

namespace Gateway.Admission;

/// <summary>How much memory all requests may hold. Section <c>Bundle:Memory</c>.</summary>
internal sealed class MemoryOptions
{
    /// <summary>The minimum limit: a few bundles fit into it on any machine.</summary>
    public const long Min = 16 << 20;

    /// <summary>
    /// Bytes that all requests together may hold; at least 16 MiB. 0: half of the memory that the container or the machine has. The process itself needs
    /// about 60 MiB more.
    /// </summary>
    /// <remarks>
    /// Three quarters are for archives: blocks, data that waits for clients, objects that are read ahead. When memory becomes scarce, new bundles read
    /// less ahead; then they wait for others to end, and requests that the queue cannot hold get 503. One quarter is for request bodies, manifests and
    /// plans, and one client may have a quarter of that. More is a 503, or a 429 for the client's share.
    /// </remarks>
    [Range(0, 1L << 44)]
    public long MaxBytes { get; set; }

    /// <summary>The effective limit.</summary>
    public long Bound => Math.Max(Min, MaxBytes > 0 ? MaxBytes : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);
}
