using Gateway.Archiving.Blocks;
using Gateway.Archiving.Encoders;
using Gateway.Archiving.Resuming;
using Gateway.Archiving.Zstd;

namespace Gateway.Archiving.Layout;

/// <content>Where to start writing an archive of which a client needs a part.</content>
public sealed partial class ArchiveLayout
{
    // Whether the position of each byte is known.
    private bool IsMapped => !Recipe.NeedsCheckpoints || Recipe is { Format: ArchiveFormat.Zip, Compression: Compression.Store };

    /// <summary>Where to start writing the archive so that a range of it costs the least work.</summary>
    /// <param name="checkpoints">What is known about the archive.</param>
    /// <param name="from">The range's first byte.</param>
    /// <param name="end">The offset after its last byte; null for the archive's end.</param>
    /// <param name="isRead">Whether an entry has been read completely before; null if that does not matter. An unread entry is read if the
    /// range reaches the last entry, which describes all entries before it.</param>
    public ResumePoint FindResumePoint(CheckpointIndex checkpoints, long from, long? end, Predicate<int>? isRead = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoints);
        var last = end ?? long.MaxValue;
        var open = FindFirstRequiredEntry(checkpoints, last, isRead);
        if (IsMapped)
        {
            return StartMapped(checkpoints, from, last, open);
        }

        var place = checkpoints.Nearest(from, open < Entries.Count ? _starts[open + 1] : PlainLength);
        return place.PlainOffset == 0 || !IsBlockEnd(place.PlainOffset) ? default : At(place, GetCheckLength(place.PlainOffset));
    }

    /// <summary>The first entry that must be written or read because of what follows it; the number of entries if there is none.</summary>
    private int FindFirstRequiredEntry(CheckpointIndex checkpoints, long last, Predicate<int>? isRead)
    {
        var needsResults = Recipe.Format == ArchiveFormat.Zip && (!IsMapped || last > GetOffset(_starts[^1]));
        var needsReading = isRead is not null && last > (IsMapped ? GetOffset(_starts[^2]) : 0);
        var entry = 0;
        while (entry < Entries.Count && !(needsResults && !HasResult(checkpoints, entry)) && !(needsReading && !isRead!(entry)))
        {
            entry++;
        }

        return entry;
    }

    /// <summary>Whether the directory of a zip archive can describe an entry that was not written.</summary>
    private bool HasResult(CheckpointIndex checkpoints, int entry) => Entries[entry].Size == 0 || checkpoints.FindResult(entry) is not null;

    /// <summary>The position of every byte is known: start at the range's block, unless a checksum requires what precedes it.</summary>
    private ResumePoint StartMapped(CheckpointIndex checkpoints, long from, long last, int open)
    {
        var plain = BlockAt(from);
        var piece = plain < PlainLength ? PieceAt(plain) : new ArchivePiece(PieceKind.Trailer, Entries.Count, _starts[^1], PlainLength);
        if (Recipe.Format != ArchiveFormat.Zip)
        {
            return Begin(open < piece.Entry ? BlockAt(GetOffset(_starts[open])) : plain);
        }

        if (open < piece.Entry)
        {
            return Within(open);
        }

        var needsResult = piece.Kind == PieceKind.Tail || (piece.Kind == PieceKind.Body && last > GetOffset(piece.End));
        return needsResult && !HasResult(checkpoints, piece.Entry) ? Within(piece.Entry) : Begin(plain);

        ResumePoint Begin(long place) => At(new Checkpoint(place, GetOffset(place), 0, 0), 0);

        // At a checkpoint in the entry, else at its beginning.
        ResumePoint Within(int entry)
        {
            var place = checkpoints.Nearest(from, _starts[entry + 1]);
            return place.PlainOffset > _starts[entry] && IsBlockEnd(place.PlainOffset)
                ? At(place, GetCheckLength(place.PlainOffset))
                : Begin(_starts[entry]);
        }
    }

    /// <summary>Maps an offset in the uncompressed archive to the archive, whose byte positions must be known. At the beginning of a block,
    /// this is the offset of the block's header.</summary>
    private long GetOffset(long plain)
    {
        if (Recipe.Format != ArchiveFormat.Zip)
        {
            return Recipe.Format == ArchiveFormat.Tar ? plain : ZstdStoreWriter.GetOffset(plain);
        }

        if (plain >= _starts[^1])
        {
            return plain - _starts[^1] + _offsets[^1];
        }

        var piece = PieceAt(plain);
        var inBody = piece.Kind == PieceKind.Tail ? Entries[piece.Entry].Size : plain - piece.Start;
        return _offsets[piece.Entry] + (piece.Kind == PieceKind.Header
            ? plain - piece.Start
            : GetHeaderLength(Entries[piece.Entry]) + StoredDeflate.Instance.EncodedLength(inBody, ArchiveRecipe.StoreBlockSize));
    }

    /// <summary>The last place in the uncompressed archive, at or before a byte of the archive, at which writing can start.</summary>
    private long BlockAt(long offset)
    {
        if (Recipe.Format != ArchiveFormat.Zip)
        {
            return Recipe.Format == ArchiveFormat.Tar ? offset : ZstdStoreWriter.BlockAt(offset, PlainLength);
        }

        if (offset >= _offsets[^1])
        {
            return _starts[^1];
        }

        var index = Array.BinarySearch(_offsets, offset);
        index = index < 0 ? ~index - 1 : index;
        var header = GetHeaderLength(Entries[index]);
        var inBody = Math.Max(offset - _offsets[index] - header, 0);
        var blocks = inBody / StoredDeflate.Instance.EncodedLength(ArchiveRecipe.StoreBlockSize);
        return offset < _offsets[index] + header ? _starts[index]
            : inBody >= StoredDeflate.Instance.EncodedLength(Entries[index].Size, ArchiveRecipe.StoreBlockSize) ? _starts[index] + header + Entries[index].Size
            : _starts[index] + header + (blocks * ArchiveRecipe.StoreBlockSize);
    }

    /// <summary>Whether a block can end here at all; the recorded value may be wrong.</summary>
    private bool IsBlockEnd(long plainOffset) => Recipe.Format != ArchiveFormat.Zip || PieceAt(plainOffset - 1).Kind == PieceKind.Body;

    /// <summary>The length of the block that ends at a checkpoint.</summary>
    private int GetCheckLength(long plainOffset)
    {
        var streamStart = Recipe.Format == ArchiveFormat.Zip ? PieceAt(plainOffset - 1).Start : 0;
        var blockSize = EncoderCatalogue.Get(Recipe).BlockSize;
        return (int)(((plainOffset - streamStart - 1) % blockSize) + 1);
    }

    private ResumePoint At(Checkpoint place, int checkLength)
    {
        var plain = place.PlainOffset - checkLength;
        if (plain == PlainLength)
        {
            return new ResumePoint(place, checkLength, Entries.Count, plain - _starts[^1], 0, false);
        }

        var piece = PieceAt(plain);
        var offset = piece.Kind switch
        {
            PieceKind.Body => plain - piece.Start,
            PieceKind.Tail => Entries[piece.Entry].Size,
            _ => 0,
        };
        return new ResumePoint(place, checkLength, piece.Entry, plain - _starts[piece.Entry], offset, piece.Kind == PieceKind.Tail);
    }
}
