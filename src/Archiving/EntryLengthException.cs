namespace Gateway.Archiving;

/// <summary>
/// The body of an entry was longer or shorter than declared. The archive cannot be mended: its header with the declared
/// length has left already. Abort the connection; never finish the archive.
/// </summary>
public sealed class EntryLengthException : IOException
{
    internal EntryLengthException(string name, long declared, long written)
        : base($"Entry '{name}' was declared with {declared} bytes, and {(written > declared ? "more" : $"only {written}")} came.")
    {
        Declared = declared;
        Written = written;
    }

    /// <summary>The length the entry was declared with, in bytes.</summary>
    public long Declared { get; }

    /// <summary>The bytes that came; for a body that is too long, those up to and with the first that were too many.</summary>
    public long Written { get; }
}
