namespace Gateway.Archiving;

/// <summary>The container an archive is written in.</summary>
public enum ArchiveFormat
{
    /// <summary>A pax/ustar archive (POSIX.1-2017, pax) in one gzip member (RFC 1952).</summary>
    TarGz,

    /// <summary>A pax/ustar archive (POSIX.1-2017, pax), not compressed.</summary>
    Tar,
}
