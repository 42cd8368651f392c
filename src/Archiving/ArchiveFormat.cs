namespace Gateway.Archiving;

/// <summary>The container an archive is written in.</summary>
public enum ArchiveFormat
{
    /// <summary>A pax/ustar archive (POSIX.1-2017, pax) in one gzip member (RFC 1952).</summary>
    TarGz,

    /// <summary>A pax/ustar archive (POSIX.1-2017, pax), not compressed.</summary>
    Tar,

    /// <summary>A pax/ustar archive (POSIX.1-2017, pax) in Zstandard frames (RFC 8878), one for each block.</summary>
    TarZst,

    /// <summary>A zip archive (PKWARE APPNOTE 6.3.10) with UTF-8 names and, where needed, Zip64 records.</summary>
    Zip,
}
