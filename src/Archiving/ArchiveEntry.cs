namespace Gateway.Archiving;

/// <summary>One regular file of an archive, as it must be known before its first byte is written.</summary>
/// <param name="Name">
/// Path inside the archive, segments separated by <c>/</c>, relative. The writer encodes it as UTF-8 and does not judge it:
/// whoever takes names from strangers checks them first.
/// </param>
/// <param name="Size">Bytes of the body, 0 or more. It is law: a longer or shorter body is an <see cref="EntryLengthException"/>.</param>
/// <param name="Modified">Time of the last change; a format that cannot hold it gets the nearest time it can.</param>
public readonly record struct ArchiveEntry(string Name, long Size, DateTimeOffset Modified);
