namespace Gateway.Storage.Objects;

/// <summary>Memory for what a bundle reads before it is needed. It belongs to the bundle's lease, and every buffer goes back before the lease does.</summary>
/// <param name="Objects">For objects that follow the one that is sent.</param>
/// <param name="Ranges">For later parts of the object that is sent.</param>
public sealed record PrefetchBudget(ByteBudget Objects, ByteBudget Ranges)
{
    /// <summary>Whether everything that was taken has been returned.</summary>
    public bool IsWhole => Objects.IsWhole && Ranges.IsWhole;

    /// <summary>Divides what was granted. Objects come first.</summary>
    /// <param name="granted">Bytes.</param>
    /// <param name="objects">Bytes that objects can use.</param>
    public static PrefetchBudget Divide(long granted, long objects) =>
        new(new ByteBudget(Math.Min(granted, objects)), new ByteBudget(Math.Max(granted - objects, 0)));
}
