using Gateway.Archiving;
using Gateway.Archiving.Layout;

namespace Gateway.Bundles;

/// <summary>Where an archive is begun to be made: the nearest place at or before the first byte that is wanted.</summary>
/// <param name="Place">That place.</param>
/// <param name="Entry">The entry it stands in; the number of entries when only the trailer is left.</param>
/// <param name="Skip">Bytes of that entry, header included, that stand before it.</param>
/// <param name="BodyOffset">How many of these belong to its body.</param>
/// <param name="IsBodyDone">Whether these are all of its body, so that its object need not be opened.</param>
internal readonly record struct ArchiveStart(ArchiveCheckpoint Place, int Entry, long Skip, long BodyOffset, bool IsBodyDone)
{
    /// <summary>The first entry whose object is opened.</summary>
    public int Opens => IsBodyDone ? Entry + 1 : Entry;

    /// <summary>A tar is begun at the very byte, everything else at the last checkpoint before it.</summary>
    public static ArchiveStart For(BundlePlan plan, KnownArchive known, long from)
    {
        var place = plan.Recipe.Format == ArchiveFormat.Tar ? new ArchiveCheckpoint(from, from, 0) : known.Nearest(from);
        if (place.PlainOffset == 0 || plan.Layout is not { } layout)
        {
            return default;
        }

        var piece = layout.PieceAt(place.PlainOffset);
        var offset = piece.Kind switch
        {
            PieceKind.Body => place.PlainOffset - piece.Start,
            PieceKind.Padding => plan.Entries[piece.Entry].Head!.Size!.Value,
            _ => 0,
        };
        return new ArchiveStart(place, piece.Entry, place.PlainOffset - layout.StartOf(piece.Entry), offset, piece.Kind == PieceKind.Padding);
    }
}
