namespace Gateway.Storage.Checksums;

/// <summary>The algorithm of a checksum.</summary>
public enum ChecksumKind
{
    /// <summary>SHA-256.</summary>
    Sha256,

    /// <summary>MD5.</summary>
    Md5,

    /// <summary>CRC-32 of IEEE 802.3, as in gzip and zip.</summary>
    Crc32,

    /// <summary>CRC-64/NVME, the default of S3.</summary>
    Crc64Nvme,

    /// <summary>CRC-32C (Castagnoli), the default of Google Cloud Storage.</summary>
    Crc32C,

    /// <summary>SHA-1.</summary>
    Sha1,
}

/// <summary>A checksum of a whole object.</summary>
/// <param name="Kind">The algorithm.</param>
/// <param name="Value">The bytes as storage sends them: a CRC's most significant byte is the first.</param>
public readonly record struct Checksum(ChecksumKind Kind, byte[] Value)
{
    /// <summary>Bytes of a checksum.</summary>
    public static int GetLength(ChecksumKind kind) => kind switch
    {
        ChecksumKind.Sha256 => 32,
        ChecksumKind.Sha1 => 20,
        ChecksumKind.Md5 => 16,
        ChecksumKind.Crc64Nvme => sizeof(ulong),
        _ => sizeof(uint),
    };
}
