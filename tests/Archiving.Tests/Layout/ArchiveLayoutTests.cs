using CsCheck;
using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Testing;

namespace Archiving.Tests.Layout;

public class ArchiveLayoutTests
{
    private static readonly Gen<(string Name, byte[] Body)[]> Entries =
        Gen.Select(Gen.Int[1, 300], Gen.Int[0, 70_000], (name, size) => (new string('n', name), new ObjectContent(size, size).ToArray())).Array[0, 6];

    [Theory]
    [InlineData(ArchiveFormat.Tar, Compression.Fast)]
    [InlineData(ArchiveFormat.TarGz, Compression.Store)]
    [InlineData(ArchiveFormat.TarZst, Compression.Store)]
    [InlineData(ArchiveFormat.Zip, Compression.Store)]
    public void The_computed_length_is_the_actual_length(ArchiveFormat format, Compression compression) =>
        Entries.SampleAsync(async entries =>
        {
            var recipe = new ArchiveRecipe(format, compression);
            return LayoutOf(recipe, entries).Length == (await Archive.WriteAsync(recipe, entries)).Length;
        });

    [Fact]
    public void A_compressed_archive_has_no_length_in_advance() =>
        Assert.Null(LayoutOf(new ArchiveRecipe(), [("a", [1, 2, 3])]).Length);

    [Fact]
    public void Pieces_follow_one_another_without_a_gap()
    {
        ArchivePiece[] expected =
        [
            new(PieceKind.Header, 0, 0, 512), new(PieceKind.Body, 0, 512, 515), new(PieceKind.Tail, 0, 515, 1024),
            new(PieceKind.Header, 1, 1024, 1536),
            new(PieceKind.Header, 2, 1536, 2048), new(PieceKind.Body, 2, 2048, 2560),
            new(PieceKind.Trailer, 3, 2560, 3584),
        ];
        var layout = LayoutOf(new ArchiveRecipe(ArchiveFormat.Tar), [("a", new byte[3]), ("b", []), ("c", new byte[512])]);

        Assert.Equal(3584, layout.PlainLength);
        Assert.All(expected, piece =>
        {
            Assert.Equal(piece, layout.PieceAt(piece.Start));
            Assert.Equal(piece, layout.PieceAt(piece.End - 1));
        });
        Assert.Throws<ArgumentOutOfRangeException>(() => layout.PieceAt(3584));
    }

    [Theory]
    [InlineData((8L << 30) - 1, 512, 1)]
    [InlineData(8L << 30, 1536, 0)]
    [InlineData((8L << 30) + 1, 1536, 511)]
    public void A_size_that_needs_a_pax_header_moves_what_follows(long size, int header, int padding)
    {
        var layout = ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.Tar), [new ArchiveEntry("a", size, DateTimeOffset.UnixEpoch)]);

        Assert.Equal(header + size + padding + 1024, layout.Length);
    }

    private static ArchiveLayout LayoutOf(ArchiveRecipe recipe, (string Name, byte[] Body)[] entries) =>
        ArchiveLayout.Create(recipe, [.. entries.Select(entry => new ArchiveEntry(entry.Name, entry.Body.Length, DateTimeOffset.UnixEpoch))]);
}
