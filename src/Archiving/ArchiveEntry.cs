namespace Gateway.Archiving;

/// <summary>One regular file of an archive. All of this must be known before its first byte is written.</summary>
/// <param name="Name">
/// Path inside the archive: relative, segments separated by <c>/</c>. The writer encodes it as UTF-8 and does not validate it;
/// callers must validate untrusted names first.
/// </param>
/// <param name="Size">Length of the body in bytes, 0 or more. A longer or shorter body throws an <see cref="EntryLengthException"/>.</param>
/// <param name="Modified">Time of the last change. A format that cannot represent it stores the nearest time that it can.</param>
public readonly record struct ArchiveEntry(string Name, long Size, DateTimeOffset Modified);
