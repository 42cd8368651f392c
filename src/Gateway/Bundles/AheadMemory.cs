using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>What a bundle may hold before it is wanted.</summary>
/// <param name="Objects">For objects whose turn will come.</param>
/// <param name="Ranges">For later parts of the object whose turn it is.</param>
internal sealed record AheadMemory(ByteBudget Objects, ByteBudget Ranges)
{
    /// <summary>Bytes that a plan can use for objects.</summary>
    public static long ObjectsOf(BundlePlan plan, UpstreamOptions options) =>
        Math.Min(options.LookaheadBytes, plan.All.Count * 2 * options.SmallObject);

    /// <summary>Bytes that a plan can use for ranges: there is one object at a time.</summary>
    public static long RangesOf(BundlePlan plan, UpstreamOptions options) =>
        plan.All.Max(entry => entry.Request.Source.ParallelRanges) is > 1 and var most ? (long)most * options.RangeBytes : 0;

    /// <summary>Divides what was granted; objects come first.</summary>
    public static AheadMemory Divide(long granted, long objects) =>
        new(new ByteBudget(Math.Min(granted, objects)), new ByteBudget(Math.Max(granted - objects, 0)));
}
