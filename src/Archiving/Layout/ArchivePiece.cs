namespace Gateway.Archiving.Layout;

/// <summary>The kind of a piece of a plain archive.</summary>
public enum PieceKind
{
    /// <summary>What precedes an entry's body.</summary>
    Header,

    /// <summary>The body of an entry.</summary>
    Body,

    /// <summary>What follows a body before the next header: padding in a tar, the descriptor in a zip.</summary>
    Tail,

    /// <summary>What ends the archive.</summary>
    Trailer,
}

/// <summary>One piece of a plain archive.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Entry">The entry it belongs to, from 0; for the trailer the number of entries.</param>
/// <param name="Start">The offset of its first byte.</param>
/// <param name="End">The offset after its last byte.</param>
public readonly record struct ArchivePiece(PieceKind Kind, int Entry, long Start, long End);
