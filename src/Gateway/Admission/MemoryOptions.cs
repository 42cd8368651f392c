using System.ComponentModel.DataAnnotations;

namespace Gateway.Admission;

/// <summary>How much memory all bundles together may hold. Section <c>Bundle:Memory</c>.</summary>
internal sealed class MemoryOptions
{
    /// <summary>The minimum limit: a few bundles fit into it on any machine.</summary>
    public const long Min = 16 << 20;

    /// <summary>
    /// Maximum bytes that all requests together hold. Three quarters are for archives: blocks, output that waits for clients, objects read ahead.
    /// Near that limit new bundles read less far ahead. Then they wait for others to end, and further ones return
    /// 503. One quarter is for request data: bodies, manifests, plans; a client may use a quarter of it. Requests beyond these limits return 503
    /// or 429. The process itself needs some 60 MiB in addition. Default 0: half of the memory of the container or the machine. Otherwise
    /// 16 MiB–16 TiB.
    /// </summary>
    [Range(0, 1L << 44)]
    public long MaxBytes { get; set; }

    /// <summary>The effective limit.</summary>
    public long Bound => Math.Max(Min, MaxBytes > 0 ? MaxBytes : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);
}
