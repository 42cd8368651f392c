namespace Gateway.Archiving.Resuming;

/// <summary>
/// The block before a checkpoint is not the one it was noted behind: the checkpoint is of another archive, or another encoder's.
/// Nothing has been written; forget what is known of the archive and begin it anew.
/// </summary>
public sealed class CheckpointException : IOException
{
    internal CheckpointException()
        : base("The block before the checkpoint is another one than when it was noted.")
    {
    }
}
