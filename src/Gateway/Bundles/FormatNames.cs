using Gateway.Archiving;

namespace Gateway.Bundles;

/// <summary>What an archive's format is called in requests, file names and headers.</summary>
internal static class FormatNames
{
    /// <exception cref="BundleRefusal">It is not offered.</exception>
    public static ArchiveFormat Parse(string value) => value switch
    {
        "tar.gz" or "tgz" => ArchiveFormat.TarGz,
        "tar" => ArchiveFormat.Tar,
        _ => throw BundleRefusal.BadRequest("format: one of tar.gz (or tgz), tar."),
    };

    /// <summary>The name, which is the extension of its files, too.</summary>
    public static string Of(ArchiveFormat format) => format == ArchiveFormat.Tar ? "tar" : "tar.gz";

    public static string MediaType(ArchiveFormat format) => format == ArchiveFormat.Tar ? "application/x-tar" : "application/gzip";
}
