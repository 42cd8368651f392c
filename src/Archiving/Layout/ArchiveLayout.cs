using Gateway.Archiving.Blocks;
using Gateway.Archiving.Tar;

namespace Gateway.Archiving.Layout;

/// <summary>
/// Where everything stands in an archive whose entries are known, before a byte of it is made: an archive is a pure function of
/// its entries and its recipe, and so are its pieces and, where nothing is compressed, its length.
/// </summary>
public sealed class ArchiveLayout
{
    // Where each entry begins in the plain archive; behind the last one the trailer.
    private readonly long[] _starts;
    private readonly IReadOnlyList<ArchiveEntry> _entries;

    private ArchiveLayout(IReadOnlyList<ArchiveEntry> entries, long[] starts, ArchiveRecipe recipe)
    {
        _entries = entries;
        _starts = starts;
        PlainLength = starts[^1] + TarHeader.TrailerLength;
        MaxLength = recipe.Format == ArchiveFormat.Tar ? PlainLength : Gzip.GzipWriter.StoredLength(PlainLength, BlockEncoder.For(recipe).BlockSize);
        Length = recipe is { Format: ArchiveFormat.Tar } or { Compression: Compression.Store } ? MaxLength : null;
    }

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
    public static ArchiveLayout Of(ArchiveRecipe recipe, IReadOnlyList<ArchiveEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(entries);
        var starts = new long[entries.Count + 1];
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            starts[i + 1] = checked(starts[i] + TarHeader.Encode(entry).Length + entry.Size + TarHeader.PaddingOf(entry.Size));
        }

        return new ArchiveLayout(entries, starts, recipe);
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
            return new ArchivePiece(PieceKind.Trailer, _entries.Count, _starts[^1], PlainLength);
        }

        var index = Array.BinarySearch(_starts, offset);
        index = index < 0 ? ~index - 1 : index;
        var entry = _entries[index];
        var body = _starts[index] + TarHeader.Encode(entry).Length;
        var padding = body + entry.Size;
        return offset < body ? new ArchivePiece(PieceKind.Header, index, _starts[index], body)
            : offset < padding ? new ArchivePiece(PieceKind.Body, index, body, padding)
            : new ArchivePiece(PieceKind.Padding, index, padding, _starts[index + 1]);
    }
}
