using Gateway.Archiving.Encoders;

namespace Gateway.Archiving;

/// <summary>
/// Everything except the entries that determines an archive's bytes. Two archives with the same entries and the same
/// <see cref="Fingerprint"/> are identical.
/// </summary>
/// <param name="Format">The container. Default <see cref="ArchiveFormat.TarGz"/>.</param>
/// <param name="Compression">How hard to compress; ignored for <see cref="ArchiveFormat.Tar"/>. Default <see cref="Compression.Fast"/>.</param>
/// <param name="FastEncoder">The encoder for <see cref="Compression.Fast"/>. Default <see cref="FastEncoder.Managed"/>.</param>
public sealed record ArchiveRecipe(
    ArchiveFormat Format = ArchiveFormat.TarGz, Compression Compression = Compression.Fast, FastEncoder FastEncoder = FastEncoder.Managed)
{
    /// <summary>
    /// Uncompressed bytes per block; blocks are compressed independently. Smaller blocks increase the output
    /// (128 KiB: 1–2 % more than a single window over everything), larger ones need more memory for every bundle.
    /// </summary>
    public const int BlockSize = 128 * 1024;

    /// <summary>The block size for <see cref="Compression.Small"/>, where output size matters more than memory.</summary>
    public const int SmallBlockSize = 512 * 1024;

    /// <summary>The block size for <see cref="ArchiveFormat.TarZst"/>, whose output it makes 4 % smaller.</summary>
    public const int ZstdBlockSize = 256 * 1024;

    /// <summary>The block size for <see cref="Compression.Store"/>, where it only bounds memory: a block with its headers fits into a
    /// pooled buffer of 32 KiB.</summary>
    public const int StoreBlockSize = (32 * 1024) - 256;

    /// <summary>
    /// Whether the archive can be resumed only from a checkpoint or from the beginning. Otherwise the layout gives the position of
    /// each byte, and no checksum covers the bytes before it, except within an entry of a stored zip.
    /// </summary>
    public bool NeedsCheckpoints => Format != ArchiveFormat.Tar && (Format, Compression) != (ArchiveFormat.TarZst, Compression.Store);

    // Increment the number of a format and compression when their bytes change in a way that the probe block does not detect.
    private int Version => (Format, Compression) switch
    {
        (ArchiveFormat.TarZst, Compression.Store) or (ArchiveFormat.Zip, _) => 2,
        _ => 1,
    };

    /// <summary>
    /// One line of ASCII that names format, version, block size and encoder. The encoder's part contains a hash of a probe block
    /// that it compressed in this process, because a library of the same name may produce other bytes on another processor.
    /// </summary>
    public string Fingerprint => Format switch
    {
        ArchiveFormat.Tar => $"tar/{Version}",
        ArchiveFormat.TarGz => Compressed("tar.gz"),
        ArchiveFormat.TarZst => Compressed("tar.zst"),
        ArchiveFormat.Zip => Compressed("zip"),
        _ => throw new InvalidOperationException($"Unknown format {Format}."),
    };

    /// <summary>Tests the encoder: compresses a block, decompresses it, and compares.</summary>
    /// <exception cref="NotSupportedException">The encoder's library cannot be loaded, or the round trip failed.</exception>
    public void SelfTest() => EncoderCatalogue.Get(this).SelfTest();

    private string Compressed(string format) => $"{format}/{Version}/{EncoderCatalogue.Get(this).BlockSize}/{EncoderCatalogue.Get(this).Fingerprint}";
}
