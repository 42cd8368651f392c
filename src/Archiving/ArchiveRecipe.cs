using Gateway.Archiving.Encoders;

namespace Gateway.Archiving;

/// <summary>
/// Everything that decides an archive's bytes besides its entries: two archives of the same entries and the same
/// <see cref="Fingerprint"/> are equal to the last byte.
/// </summary>
/// <param name="Format">The container. Default <see cref="ArchiveFormat.TarGz"/>.</param>
/// <param name="Compression">How hard to compress; without effect on <see cref="ArchiveFormat.Tar"/>. Default <see cref="Compression.Fast"/>.</param>
/// <param name="FastEncoder">Who does it where it is <see cref="Compression.Fast"/>. Default <see cref="FastEncoder.Managed"/>.</param>
public sealed record ArchiveRecipe(
    ArchiveFormat Format = ArchiveFormat.TarGz, Compression Compression = Compression.Fast, FastEncoder FastEncoder = FastEncoder.Managed)
{
    /// <summary>
    /// Plain bytes of a block, each compressed without knowledge of the others. Smaller blocks cost output size
    /// (128 KiB: 1–2 % against one window over everything), larger ones cost memory for every bundle.
    /// </summary>
    public const int BlockSize = 128 * 1024;

    /// <summary>The same for <see cref="Compression.Small"/>, where size counts for more than memory.</summary>
    public const int SmallBlockSize = 512 * 1024;

    /// <summary>The same for <see cref="ArchiveFormat.TarZst"/>, which gains 4 % by it.</summary>
    public const int ZstdBlockSize = 256 * 1024;

    /// <summary>The same for <see cref="Compression.Store"/>, where it only bounds memory: a block with its headers fits into a
    /// pool's buffer of 32 KiB.</summary>
    public const int StoreBlockSize = (32 * 1024) - 256;

    /// <summary>
    /// Whether a place within the archive can be resumed only from a checkpoint or from the beginning. Otherwise the layout says where
    /// each byte is, and no checksum covers what precedes it; in a stored zip, one does within an entry.
    /// </summary>
    public bool NeedsCheckpoints => Format != ArchiveFormat.Tar && (Format, Compression) != (ArchiveFormat.TarZst, Compression.Store);

    // Raise the number of a format and compression when their bytes change for a reason that the probe block does not show.
    private int Version => (Format, Compression) switch
    {
        (ArchiveFormat.TarZst, Compression.Store) or (ArchiveFormat.Zip, _) => 2,
        _ => 1,
    };

    /// <summary>
    /// One line of ASCII that names format, version, block size and encoder. The encoder's part holds a hash of a probe block
    /// that it compressed in this process: libraries of the same name give other bytes on other processors.
    /// </summary>
    public string Fingerprint => Format switch
    {
        ArchiveFormat.Tar => $"tar/{Version}",
        ArchiveFormat.TarGz => Compressed("tar.gz"),
        ArchiveFormat.TarZst => Compressed("tar.zst"),
        ArchiveFormat.Zip => Compressed("zip"),
        _ => throw new InvalidOperationException($"unknown format {Format}"),
    };

    /// <summary>Has the encoder compress a block, and looks whether it comes back.</summary>
    /// <exception cref="NotSupportedException">The encoder's library cannot be loaded, or does not give the bytes back.</exception>
    public void SelfTest() => EncoderCatalogue.Get(this).SelfTest();

    private string Compressed(string format) => $"{format}/{Version}/{EncoderCatalogue.Get(this).BlockSize}/{EncoderCatalogue.Get(this).Fingerprint}";
}
