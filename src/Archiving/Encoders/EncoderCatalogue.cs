using Gateway.Archiving.Blocks;
using Gateway.Archiving.Zstd;

namespace Gateway.Archiving.Encoders;

/// <summary>The encoder of each recipe. Only this type names the encoders.</summary>
internal static class EncoderCatalogue
{
    private const int ZstdFastLevel = 1;
    private const int ZstdSmallLevel = 9;

    // Which of the two makes a block smaller depends on the block.
    private static readonly int[] ZlibLevels = [6, 9];

    private static readonly BlockEncoder Managed = new DeflateBlockEncoder();
    private static readonly Lazy<BlockEncoder> Isal = new(IsalBlockEncoder.Load);
    private static readonly Lazy<BlockEncoder> Small = new(() =>
        LibdeflateBlockEncoder.TryLoad(out var libdeflate) ? libdeflate : new ZlibBlockEncoder(ZlibLevels));

    private static readonly BlockEncoder ZipManaged = new ZipBlockEncoder(Managed);
    private static readonly Lazy<BlockEncoder> ZipIsal = new(() => new ZipBlockEncoder(Isal.Value));
    private static readonly Lazy<BlockEncoder> ZipSmall = new(() => new ZipBlockEncoder(Small.Value));
    private static readonly BlockEncoder Store = new StoringBlockEncoder(StoredDeflate.Instance);
    private static readonly BlockEncoder StoreZstd = new StoringBlockEncoder(RawBlock.Instance);
    private static readonly BlockEncoder ZstdFast = new ZstdBlockEncoder(ZstdFastLevel, ArchiveRecipe.ZstdBlockSize);
    private static readonly BlockEncoder ZstdSmall = new ZstdBlockEncoder(ZstdSmallLevel, ArchiveRecipe.SmallBlockSize);

    /// <exception cref="NotSupportedException">The encoder's library cannot be loaded.</exception>
    public static BlockEncoder Get(ArchiveRecipe recipe) => (recipe.Format, recipe.Compression, recipe.FastEncoder) switch
    {
        (ArchiveFormat.TarZst, Compression.Fast, _) => ZstdFast,
        (ArchiveFormat.TarZst, Compression.Small, _) => ZstdSmall,
        (ArchiveFormat.TarZst, Compression.Store, _) => StoreZstd,
        (_, Compression.Store, _) => Store,
        (ArchiveFormat.Zip, Compression.Fast, FastEncoder.Managed) => ZipManaged,
        (ArchiveFormat.Zip, Compression.Fast, FastEncoder.Isal) => ZipIsal.Value,
        (ArchiveFormat.Zip, Compression.Small, _) => ZipSmall.Value,
        (_, Compression.Fast, FastEncoder.Managed) => Managed,
        (_, Compression.Fast, FastEncoder.Isal) => Isal.Value,
        (_, Compression.Small, _) => Small.Value,
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe, "Unknown compression or encoder."),
    };
}
