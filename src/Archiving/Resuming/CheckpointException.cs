namespace Gateway.Archiving.Resuming;

/// <summary>
/// The block before a checkpoint differs from the one it was recorded after: the checkpoint belongs to another archive or encoder.
/// Nothing has been written. Discard what is known about the archive and start from the beginning.
/// </summary>
public sealed class CheckpointException : IOException
{
    internal CheckpointException()
        : base("The block before the checkpoint differs from the one that was recorded.")
    {
    }
}
