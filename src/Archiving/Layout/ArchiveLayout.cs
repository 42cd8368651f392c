using Gateway.Archiving.Encoders;
using Gateway.Archiving.Gzip;
using Gateway.Archiving.Tar;
using Gateway.Archiving.Zip;
using Gateway.Archiving.Zstd;

namespace Gateway.Archiving.Layout;

/// <summary>
/// The position of everything in an archive whose entries are known, before any byte of it is written. An archive is a pure function
/// of its entries and its recipe, and so are its pieces and, if nothing is compressed, its length.
/// </summary>
/// <remarks>Offsets are those of the plain archive, in which no body is compressed: for the tar formats the tar, for zip a zip with
/// the same records around stored bodies.</remarks>
public sealed partial class ArchiveLayout
{
    // Offset of each entry in the plain archive; after the last one, of the trailer.
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

    /// <summary>Format and compression.</summary>
    public ArchiveRecipe Recipe { get; }

    /// <summary>Every entry, in order.</summary>
    public IReadOnlyList<ArchiveEntry> Entries { get; }

    /// <summary>Bytes of the archive before compression.</summary>
    public long PlainLength { get; }

    /// <summary>Bytes of the archive itself; null if known only after writing it.</summary>
    public long? Length { get; }

    /// <summary>The maximum length of the archive in bytes.</summary>
    public long MaxLength { get; }

    /// <summary>Computes the layout.</summary>
    /// <param name="recipe">Format and compression.</param>
    /// <param name="entries">Every entry, in order, with its exact size.</param>
    /// <exception cref="OverflowException">The archive would have more than 2^63 bytes.</exception>
    public static ArchiveLayout Create(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(entries);
        return recipe.Format == ArchiveFormat.Zip ? CreateZip(recipe, entries) : CreateTar(recipe, entries);
    }

    /// <summary>Offset of an entry's header in the plain archive; for the number of entries, of the trailer.</summary>
    public long GetStart(int entry) => _starts[entry];

    /// <summary>The piece that contains a byte of the plain archive.</summary>
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
