namespace Gateway.Archiving;

/// <summary>
/// The body of an entry was longer or shorter than declared. The archive cannot be repaired, because its header with the declared
/// length has already been written. Abort the connection; never finish the archive.
/// </summary>
public sealed class EntryLengthException : IOException
{
    internal EntryLengthException(string name, long declared, long written)
        : base($"Entry '{name}' was declared with {declared} bytes, but {(written > declared ? "more" : $"only {written}")} were written.")
    {
        Declared = declared;
        Written = written;
    }

    /// <summary>The length the entry was declared with, in bytes.</summary>
    public long Declared { get; }

    /// <summary>The bytes that were written. For a body that is too long, this includes the first excess byte.</summary>
    public long Written { get; }
}
