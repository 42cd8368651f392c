namespace Gateway.Archiving;

/// <summary>How much work is spent on making an archive small. The default is <see cref="Fast"/>.</summary>
public enum Compression
{
    /// <summary>The fastest encoder that still shrinks; blocks that do not shrink are stored.</summary>
    Fast,

    /// <summary>Smaller output for several times the processor time of <see cref="Fast"/>.</summary>
    Small,

    /// <summary>No compression; the output is the unchanged bytes in stored blocks.</summary>
    Store,
}
