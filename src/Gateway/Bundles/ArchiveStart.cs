using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>Where an archive is begun to be made: the nearest place at or before the first byte that is wanted.</summary>
/// <param name="Position">Where in the archive that is.</param>
/// <param name="Entry">The first entry that is begun; the number of entries when only the trailer is left.</param>
/// <param name="Skip">Bytes of that entry, header included, that stand before the position.</param>
/// <param name="BodyOffset">How many of these belong to its body.</param>
/// <param name="IsBodyDone">Whether these are all of its body, so that its object need not be opened.</param>
internal readonly record struct ArchiveStart(long Position, int Entry, long Skip, long BodyOffset, bool IsBodyDone)
{
    /// <summary>The first entry whose object is opened.</summary>
    public int Opens => IsBodyDone ? Entry + 1 : Entry;

    /// <summary>A tar is begun at the very byte. Everything else is made from the beginning: its checksum runs over all of it.</summary>
    public static ArchiveStart For(BundlePlan plan, ByteRange? range)
    {
        if (range is not { From: > 0 and var from } || plan is not { Recipe.Format: ArchiveFormat.Tar, Layout: { } layout })
        {
            return default;
        }

        var piece = layout.PieceAt(from);
        var offset = piece.Kind switch
        {
            PieceKind.Body => from - piece.Start,
            PieceKind.Padding => plan.Entries[piece.Entry].Head!.Size!.Value,
            _ => 0,
        };
        return new ArchiveStart(from, piece.Entry, from - layout.StartOf(piece.Entry), offset, piece.Kind == PieceKind.Padding);
    }
}
