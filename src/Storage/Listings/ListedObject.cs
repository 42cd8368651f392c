namespace Gateway.Storage.Listings;

/// <summary>An object that a listing returned.</summary>
/// <param name="Key">Its key after the prefix that was listed. It is unchecked: a store may contain keys that no archive can.</param>
/// <param name="Size">Length of the stored bytes.</param>
/// <param name="ETag">With its quotes; null if the store returned none that is strong.</param>
/// <param name="Modified">Truncated to seconds, because the response to HEAD has no more.</param>
public sealed record ListedObject(string Key, long Size, string? ETag, DateTimeOffset Modified)
{
    /// <summary>Whether the store marks it as a directory.</summary>
    public bool IsDirectory { get; init; }

    /// <summary>Whether it only marks a folder: the one that was listed, or one in it. With bytes it is an object.</summary>
    public bool IsMarker => Size == 0 && (IsDirectory || Key is "" or [.., '/']);

    /// <summary>The MD5 of the stored bytes; null if the store returned none.</summary>
    public byte[]? Md5 { get; init; }

    /// <summary>The content codings that it is stored with; null: none, or the store does not list them.</summary>
    public string? Encoding { get; init; }

    /// <summary>The class or tier of an object that must be restored before it can be read (<c>DEEP_ARCHIVE</c>, <c>Archive</c>); null: it can be read.</summary>
    public string? ArchivedAs { get; init; }
}
