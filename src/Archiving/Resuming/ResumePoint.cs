namespace Gateway.Archiving.Resuming;

/// <summary>Where writing an archive starts for a client that already has what precedes it.</summary>
/// <param name="Place">Bytes are written from here on.</param>
/// <param name="CheckLength">Uncompressed bytes before the place, all in one block, that are encoded again and compared.</param>
/// <param name="Entry">The entry in which those bytes begin; the number of entries if only the end is left.</param>
/// <param name="Skip">Bytes of that entry, its header included, that precede them.</param>
/// <param name="BodyOffset">The part of <paramref name="Skip"/> that belongs to the body.</param>
/// <param name="IsBodyDone">Whether that is the whole body, so that its object need not be read.</param>
public readonly record struct ResumePoint(Checkpoint Place, int CheckLength, int Entry, long Skip, long BodyOffset, bool IsBodyDone)
{
    /// <summary>
    /// Whether writing starts within a body that is only copied, without a checkpoint. The checksum of that body is then not known
    /// here, and must come from elsewhere if it is needed.
    /// </summary>
    public bool IsWithinCopy => BodyOffset > 0 && CheckLength == 0;

    /// <summary>The first entry whose body is written.</summary>
    public int FirstBody => IsBodyDone ? Entry + 1 : Entry;
}
