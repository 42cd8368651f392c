namespace Gateway.Archiving.Resuming;

/// <summary>Where an archive is begun to be made, for a client that has what stands before.</summary>
/// <param name="Place">From here on its bytes are written.</param>
/// <param name="CheckLength">Plain bytes before the place, all in one block, that are made once more and compared.</param>
/// <param name="Entry">The entry in which these begin; the number of entries when only the end is left.</param>
/// <param name="Skip">Bytes of that entry, its header included, that stand before them.</param>
/// <param name="BodyOffset">How many of these belong to its body.</param>
/// <param name="IsBodyDone">Whether these are all of its body, so that its object need not be read.</param>
public readonly record struct ResumePoint(Checkpoint Place, int CheckLength, int Entry, long Skip, long BodyOffset, bool IsBodyDone)
{
    /// <summary>
    /// Whether it is begun within a body that is only copied, without a checkpoint: of that body no checksum is known, and whoever
    /// needs it must know it from elsewhere.
    /// </summary>
    public bool IsWithinCopy => BodyOffset > 0 && CheckLength == 0;

    /// <summary>The first entry whose body is written.</summary>
    public int FirstBody => IsBodyDone ? Entry + 1 : Entry;
}
