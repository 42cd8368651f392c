using Gateway.Archiving;
using Gateway.Responses;

namespace Gateway.Requests;

/// <summary>The names of archive formats in requests, file names and headers.</summary>
internal static class FormatNames
{
    /// <exception cref="BundleProblemException">It is not supported.</exception>
    public static ArchiveFormat Parse(string value) => value switch
    {
        "tar.gz" or "tgz" => ArchiveFormat.TarGz,
        "tar" => ArchiveFormat.Tar,
        "tar.zst" => ArchiveFormat.TarZst,
        "zip" => ArchiveFormat.Zip,
        _ => throw BundleProblemException.BadRequest("format: one of tar.gz (or tgz), tar, tar.zst, zip."),
    };

    /// <summary>The name, which is also the extension of its files.</summary>
    public static string GetName(ArchiveFormat format) => format switch
    {
        ArchiveFormat.TarGz => "tar.gz",
        ArchiveFormat.Tar => "tar",
        ArchiveFormat.TarZst => "tar.zst",
        ArchiveFormat.Zip => "zip",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Unknown format."),
    };

    /// <summary>The extensions that files of the format have.</summary>
    public static string[] GetExtensions(ArchiveFormat format) => format == ArchiveFormat.TarGz ? [".tar.gz", ".tgz"] : [$".{GetName(format)}"];

    public static string GetMediaType(ArchiveFormat format) => format switch
    {
        ArchiveFormat.TarGz => "application/gzip",
        ArchiveFormat.Tar => "application/x-tar",
        ArchiveFormat.TarZst => "application/zstd",
        ArchiveFormat.Zip => "application/zip",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Unknown format."),
    };
}
