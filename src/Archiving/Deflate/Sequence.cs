using System.Runtime.CompilerServices;

namespace Gateway.Archiving.Deflate;

/// <summary>
/// Literals, then a match: the elements of a block. The last literals of a block have no match after them. It is one word, written once
/// and read twice; the distance is stored as its symbol and extra bits, the only form that is needed.
/// </summary>
internal readonly struct Sequence
{
    private readonly ulong _word;

    /// <summary>Creates a sequence.</summary>
    /// <param name="literals">Number of literals, less than 2^24.</param>
    /// <param name="length">Length of the match, 4…258.</param>
    /// <param name="distance">Distance of the match, 1…32,768.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Sequence(nint literals, nint length, nint distance)
    {
        var symbol = DeflateSymbols.DistanceSymbol((int)distance);
        var extra = (int)(distance - 1) & ((1 << DeflateSymbols.DistanceExtraBits(symbol)) - 1);
        _word = (uint)symbol | ((ulong)extra << 8) | ((ulong)length << 24) | ((ulong)literals << 40);
    }

    public int Literals => (int)(_word >> 40);

    public int Length => (ushort)(_word >> 24);

    public int DistanceSymbol => (byte)_word;

    public int DistanceExtra => (ushort)(_word >> 8);
}
