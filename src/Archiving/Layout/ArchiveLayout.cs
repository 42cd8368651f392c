using Gateway.Archiving.Encoders;
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
public sealed partial class ArchiveLayout
{
    // Where each entry begins in the plain archive; behind the last one the trailer.
    private readonly long[] _starts;

    // The same for the archive itself; only for a stored zip.
    private readonly long[] _offsets;

    private ArchiveLayout(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries, long[] starts, long[] offsets, long trailer, long maxLength)
    {
        Recipe = recipe;
        Entries = entries;
        _starts = starts;
        _offsets = offsets;
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

    /// <summary>Lays the entries out.</summary>
    /// <param name="recipe">How the archive is made.</param>
    /// <param name="entries">Every entry, in order, with its exact size.</param>
    /// <exception cref="OverflowException">The archive would have more than 2^63 bytes.</exception>
    public static ArchiveLayout Create(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(entries);
        return recipe.Format == ArchiveFormat.Zip ? CreateZip(recipe, entries) : CreateTar(recipe, entries);
    }

    /// <summary>Where an entry's header begins in the plain archive; for the number of entries, where the trailer does.</summary>
    public long GetStart(int entry) => _starts[entry];

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
        var body = _starts[index] + GetHeaderLength(Entries[index]);
        var tail = body + Entries[index].Size;
        return offset < body ? new ArchivePiece(PieceKind.Header, index, _starts[index], body)
            : offset < tail ? new ArchivePiece(PieceKind.Body, index, body, tail)
            : new ArchivePiece(PieceKind.Tail, index, tail, _starts[index + 1]);
    }

    private static ArchiveLayout CreateTar(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries)
    {
        var starts = new long[entries.Count + 1];
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            starts[i + 1] = checked(starts[i] + TarHeader.Encode(entry).Length + entry.Size + TarHeader.GetPadding(entry.Size));
        }

        var plain = checked(starts[^1] + TarHeader.TrailerLength);
        var most = recipe.Format switch
        {
            ArchiveFormat.Tar => plain,
            ArchiveFormat.TarGz => GzipWriter.StoredLength(plain, EncoderCatalogue.Get(recipe).BlockSize),
            _ when recipe.Compression == Compression.Store => ZstdStoreWriter.EncodedLength(plain),
            _ => StoredFrame.Instance.EncodedLength(plain, EncoderCatalogue.Get(recipe).BlockSize),
        };
        return new ArchiveLayout(recipe, entries, starts, [], TarHeader.TrailerLength, most);
    }

    private static ArchiveLayout CreateZip(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries)
    {
        var starts = new long[entries.Count + 1];
        var offsets = recipe.Compression == Compression.Store ? new long[entries.Count + 1] : [];
        var (most, directory) = (0L, 0L);
        for (var i = 0; i < entries.Count; i++)
        {
            var zip = new ZipEntry(entries[i], recipe);
            starts[i + 1] = checked(starts[i] + zip.HeaderLength + entries[i].Size + zip.DescriptorLength);
            directory += zip.CentralLength(most);
            most = checked(most + zip.HeaderLength + zip.MaxEncodedLength + zip.DescriptorLength);
            if (offsets.Length > 0)
            {
                offsets[i + 1] = most;
            }
        }

        var trailer = directory + new ZipEnd(entries.Count, directory, most).RecordsLength;
        return new ArchiveLayout(recipe, entries, starts, offsets, trailer, checked(most + trailer));
    }

    private long GetHeaderLength(in ArchiveEntry entry) =>
        Recipe.Format == ArchiveFormat.Zip ? new ZipEntry(entry, Recipe).HeaderLength : TarHeader.Encode(entry).Length;
}
