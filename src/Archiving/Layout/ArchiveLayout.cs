using Gateway.Archiving.Blocks;
using Gateway.Archiving.Gzip;
using Gateway.Archiving.Tar;
using Gateway.Archiving.Zip;
using Gateway.Archiving.Zstd;

namespace Gateway.Archiving.Layout;

/// <summary>
/// Where everything stands in an archive whose entries are known, before a byte of it is made: an archive is a pure function of
/// its entries and its recipe, and so are its pieces and, where nothing is compressed, its length.
/// </summary>
/// <remarks>Places are those of the plain archive, in which no body is compressed: for the tar formats the tar, for zip a zip with
/// the same records around bodies that are stored.</remarks>
public sealed class ArchiveLayout
{
    // Where each entry begins in the plain archive; behind the last one the trailer.
    private readonly long[] _starts;

    private ArchiveLayout(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries, long[] starts, long trailer, long maxLength)
    {
        Recipe = recipe;
        Entries = entries;
        _starts = starts;
        PlainLength = checked(starts[^1] + trailer);
        MaxLength = maxLength;
        Length = recipe is { Format: ArchiveFormat.Tar } or { Compression: Compression.Store } ? maxLength : null;
    }

    /// <summary>How the archive is made.</summary>
    public ArchiveRecipe Recipe { get; }

    /// <summary>Every entry, in order.</summary>
    public IReadOnlyList<ArchiveEntry> Entries { get; }

    /// <summary>Bytes of the archive before compression.</summary>
    public long PlainLength { get; }

    /// <summary>Bytes of the archive itself; null where only making it tells.</summary>
    public long? Length { get; }

    /// <summary>The most bytes that the archive can have.</summary>
    public long MaxLength { get; }

    // Whether a byte of the plain archive is a byte of the archive.
    private bool IsPlain => Recipe.Format == ArchiveFormat.Tar || Recipe is { Format: ArchiveFormat.Zip, Compression: Compression.Store };

    /// <summary>Lays the entries out.</summary>
    /// <param name="recipe">How the archive is made.</param>
    /// <param name="entries">Every entry, in order, with its exact size.</param>
    /// <exception cref="OverflowException">The archive would have more than 2^63 bytes.</exception>
    public static ArchiveLayout Of(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(entries);
        return recipe.Format == ArchiveFormat.Zip ? OfZip(recipe, entries) : OfTar(recipe, entries);
    }

    /// <summary>Where an entry's header begins in the plain archive; for the number of entries, where the trailer does.</summary>
    public long StartOf(int entry) => _starts[entry];

    /// <summary>The piece that holds a byte of the plain archive.</summary>
    /// <param name="offset">From 0 to less than <see cref="PlainLength"/>.</param>
    public ArchivePiece PieceAt(long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(offset, PlainLength);
        if (offset >= _starts[^1])
        {
            return new ArchivePiece(PieceKind.Trailer, Entries.Count, _starts[^1], PlainLength);
        }

        var index = Array.BinarySearch(_starts, offset);
        index = index < 0 ? ~index - 1 : index;
        var body = _starts[index] + HeaderLengthOf(Entries[index]);
        var tail = body + Entries[index].Size;
        return offset < body ? new ArchivePiece(PieceKind.Header, index, _starts[index], body)
            : offset < tail ? new ArchivePiece(PieceKind.Body, index, body, tail)
            : new ArchivePiece(PieceKind.Tail, index, tail, _starts[index + 1]);
    }

    /// <summary>Where to begin making the archive so that a range of it can be had for the least work.</summary>
    /// <param name="trail">What is known of the archive.</param>
    /// <param name="from">The range's first byte.</param>
    /// <param name="end">Behind its last byte; null for the archive's end.</param>
    /// <param name="isRead">Whether an entry has been read whole before; null when that does not matter. One that was not is read if
    /// the range reaches the last entry, which is then about all before it.</param>
    public ArchiveStart StartAt(ArchiveTrail trail, long from, long? end, Predicate<int>? isRead = null)
    {
        ArgumentNullException.ThrowIfNull(trail);
        var last = end ?? long.MaxValue;
        var open = FirstOpen(trail, last, isRead);
        if (IsPlain)
        {
            return StartPlain(trail, from, last, open);
        }

        var place = trail.Nearest(from, open < Entries.Count ? _starts[open + 1] : PlainLength);
        return place.PlainOffset == 0 || !IsBehindBlock(place.PlainOffset) ? default : At(place, CheckLengthBefore(place.PlainOffset));
    }

    private static ArchiveLayout OfTar(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries)
    {
        var starts = new long[entries.Count + 1];
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            starts[i + 1] = checked(starts[i] + TarHeader.Encode(entry).Length + entry.Size + TarHeader.PaddingOf(entry.Size));
        }

        var plain = checked(starts[^1] + TarHeader.TrailerLength);
        var most = recipe.Format switch
        {
            ArchiveFormat.Tar => plain,
            ArchiveFormat.TarGz => GzipWriter.StoredLength(plain, BlockEncoder.For(recipe).BlockSize),
            _ => StoredFrame.Instance.EncodedLength(plain, BlockEncoder.For(recipe).BlockSize),
        };
        return new ArchiveLayout(recipe, entries, starts, TarHeader.TrailerLength, most);
    }

    private static ArchiveLayout OfZip(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries)
    {
        var starts = new long[entries.Count + 1];
        var (most, directory) = (0L, 0L);
        for (var i = 0; i < entries.Count; i++)
        {
            var zip = new ZipEntry(entries[i], recipe);
            starts[i + 1] = checked(starts[i] + zip.HeaderLength + entries[i].Size + zip.DescriptorLength);
            directory += zip.CentralLength(most);
            most = checked(most + zip.HeaderLength + zip.MaxEncodedLength + zip.DescriptorLength);
        }

        var trailer = directory + new ZipEnd(entries.Count, directory, most).RecordsLength;
        return new ArchiveLayout(recipe, entries, starts, trailer, checked(most + trailer));
    }

    private long HeaderLengthOf(in ArchiveEntry entry) =>
        Recipe.Format == ArchiveFormat.Zip ? new ZipEntry(entry, Recipe).HeaderLength : TarHeader.Encode(entry).Length;

    /// <summary>The first entry that must be made or read because of what stands behind it; the number of entries when there is none.</summary>
    private int FirstOpen(ArchiveTrail trail, long last, Predicate<int>? isRead)
    {
        var needsResults = Recipe.Format == ArchiveFormat.Zip && (!IsPlain || last > _starts[^1]);
        var needsReading = isRead is not null && last > (IsPlain ? _starts[^2] : 0);
        var entry = 0;
        while (entry < Entries.Count && !(needsResults && trail.ResultOf(entry) is null && !IsKnown(entry)) && !(needsReading && !isRead!(entry)))
        {
            entry++;
        }

        return entry;
    }

    /// <summary>Whether the end of a zip archive can name an entry without having made it.</summary>
    private bool IsKnown(int entry) => (IsPlain && Entries[entry].Crc32 is not null) || Entries[entry].Size == 0;

    /// <summary>Every byte of the range stands where the layout says: it is begun there, unless a checksum asks for what is before.</summary>
    private ArchiveStart StartPlain(ArchiveTrail trail, long from, long last, int open)
    {
        var piece = PieceAt(from);
        if (open < piece.Entry)
        {
            return Within(open);
        }

        if (Recipe.Format == ArchiveFormat.Tar)
        {
            return At(new ArchiveCheckpoint(from, from, 0, 0), 0);
        }

        return piece.Kind switch
        {
            PieceKind.Trailer => At(new ArchiveCheckpoint(piece.Start, piece.Start, 0, 0), 0),
            PieceKind.Body or PieceKind.Tail when IsKnown(piece.Entry) || trail.ResultOf(piece.Entry) is not null || (piece.Kind == PieceKind.Body && last <= piece.End) =>
                At(new ArchiveCheckpoint(Math.Min(from, BodyEnd(piece)), Math.Min(from, BodyEnd(piece)), 0, 0), 0),
            PieceKind.Header => At(new ArchiveCheckpoint(piece.Start, piece.Start, 0, 0), 0),
            _ => Within(piece.Entry),
        };

        static long BodyEnd(ArchivePiece piece) => piece.Kind == PieceKind.Body ? piece.End : piece.Start;

        // At a checkpoint in the entry, else at its beginning.
        ArchiveStart Within(int entry)
        {
            var place = trail.Nearest(from, _starts[entry + 1]);
            return place.PlainOffset > _starts[entry] && Recipe.Format == ArchiveFormat.Zip && IsBehindBlock(place.PlainOffset)
                ? At(place, CheckLengthBefore(place.PlainOffset))
                : At(new ArchiveCheckpoint(_starts[entry], _starts[entry], 0, 0), 0);
        }
    }

    /// <summary>Whether a block can end here at all: who noted it may have been mistaken.</summary>
    private bool IsBehindBlock(long plainOffset) => Recipe.Format != ArchiveFormat.Zip || PieceAt(plainOffset - 1).Kind == PieceKind.Body;

    /// <summary>How long the block is that ends at a checkpoint.</summary>
    private int CheckLengthBefore(long plainOffset)
    {
        var streamStart = Recipe.Format == ArchiveFormat.Zip ? PieceAt(plainOffset - 1).Start : 0;
        var blockSize = BlockEncoder.For(Recipe).BlockSize;
        return (int)(((plainOffset - streamStart - 1) % blockSize) + 1);
    }

    private ArchiveStart At(ArchiveCheckpoint place, int checkLength)
    {
        var plain = place.PlainOffset - checkLength;
        if (plain == PlainLength)
        {
            return new ArchiveStart(place, checkLength, Entries.Count, plain - _starts[^1], 0, false);
        }

        var piece = PieceAt(plain);
        var offset = piece.Kind switch
        {
            PieceKind.Body => plain - piece.Start,
            PieceKind.Tail => Entries[piece.Entry].Size,
            _ => 0,
        };
        return new ArchiveStart(place, checkLength, piece.Entry, plain - _starts[piece.Entry], offset, piece.Kind == PieceKind.Tail);
    }
}
