namespace Gateway.Archiving.Layout;

/// <summary>What a piece of a plain archive is.</summary>
public enum PieceKind
{
    /// <summary>What stands before an entry's body.</summary>
    Header,

    /// <summary>The body of an entry.</summary>
    Body,

    /// <summary>What stands between a body and the next header: padding in a tar, the descriptor in a zip.</summary>
    Tail,

    /// <summary>What ends the archive.</summary>
    Trailer,
}

/// <summary>One piece of a plain archive.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Entry">The entry it belongs to, from 0; for the trailer the number of entries.</param>
/// <param name="Start">Its first byte.</param>
/// <param name="End">Behind its last byte.</param>
public readonly record struct ArchivePiece(PieceKind Kind, int Entry, long Start, long End);
