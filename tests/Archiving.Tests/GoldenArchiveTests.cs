using Gateway.Archiving;
using Testing;

namespace Archiving.Tests;

/// <summary>
/// The bytes of an archive must not change: a client may have the first half from another version of the gateway. If one of these
/// values changes, increment the version in <see cref="ArchiveRecipe.Fingerprint"/>, so that the ETag changes too.
/// </summary>
public class GoldenArchiveTests
{
    [Theory]
    [InlineData(ArchiveFormat.Tar, Compression.Fast, "tar/1", "c433bc78e3045fa1")]
    [InlineData(ArchiveFormat.TarGz, Compression.Fast, "tar.gz/1/131072/deflate-2-f5cd8b57d69178ad", "101da7b9641c3815")]
    [InlineData(ArchiveFormat.TarGz, Compression.Store, "tar.gz/1/32512/store-d921163bba23c222", "4377b438d17582a5")]
    [InlineData(ArchiveFormat.TarZst, Compression.Fast, "tar.zst/1/262144/zstd-1-f723c694e0ab9cc9", "6274a30cc2187f39")]
    [InlineData(ArchiveFormat.TarZst, Compression.Small, "tar.zst/1/524288/zstd-9-76413eb4edbb9891", "5212f747cf9fb5be")]
    [InlineData(ArchiveFormat.TarZst, Compression.Store, "tar.zst/2/32512/store-ff4de59e717e9eb5", "4c84a1b86a1aaaf5")]
    [InlineData(ArchiveFormat.Zip, Compression.Fast, "zip/2/131072/deflate-2-f5cd8b57d69178ad", "454d8a2364748376")]
    [InlineData(ArchiveFormat.Zip, Compression.Store, "zip/2/32512/store-d921163bba23c222", "a96f9381ec5de313")]
    public async Task The_bytes_of_an_archive_change_only_with_its_fingerprint(ArchiveFormat format, Compression compression, string fingerprint, string sha256)
    {
        var recipe = new ArchiveRecipe(format, compression);
        (string, byte[])[] entries =
        [
            ("text.txt", new ObjectContent(700_017, 1).ToArray()),
            ("empty", []),
            ("grüße/日本語/😀.txt", [1, 2, 3]),
            (new string('n', 300), new ObjectContent(65_536, 3).ToArray()),
            ("media.bin", new ObjectContent(500_003, 2, compressible: false).ToArray()),
        ];

        var archive = await Archive.WriteAsync(recipe, entries);

        Assert.Equal(sha256, Download.Hash(archive)[..16]);
        Assert.Equal(fingerprint, recipe.Fingerprint);
    }
}
