using System.ComponentModel.DataAnnotations;

namespace Gateway.Admission;

/// <summary>How much memory all bundles together may hold. Section <c>Bundle:Memory</c>.</summary>
internal sealed class MemoryOptions
{
    /// <summary>The smallest bound: a few bundles fit into it on any machine.</summary>
    public const long Min = 16 << 20;

    /// <summary>
    /// Bytes that all requests together may hold. Three quarters are for archives: blocks, what waits for clients, objects read ahead.
    /// Near that new bundles look less far ahead, then they wait for others to end, and those behind them are answered with
    /// 503. One quarter is for what requests say: bodies, manifests, plans; a client may have a quarter of it. What is beyond gets 503,
    /// or 429. The process itself needs some 60 MiB besides. Default 0: half of the memory that the container, or the machine, has. Otherwise
    /// 16 MiB–16 TiB.
    /// </summary>
    [Range(0, 1L << 44)]
    public long MaxBytes { get; set; }

    /// <summary>The bound that holds.</summary>
    public long Bound => Math.Max(Min, MaxBytes > 0 ? MaxBytes : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);
}
