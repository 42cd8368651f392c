using System.Runtime.CompilerServices;

namespace Gateway.Archiving.Deflate;

/// <summary>
/// Literals, then a match: what a block is made of. The last literals of a block have none behind them. One word, written once
/// and read twice; the distance is kept as its symbol and extra bits, which is all that anyone asks for.
/// </summary>
internal readonly struct Sequence
{
    private readonly ulong _word;

    /// <summary>Makes one.</summary>
    /// <param name="literals">Bytes that are taken from the block as they are, less than 2^24.</param>
    /// <param name="length">Bytes that are repeated, 4…258.</param>
    /// <param name="distance">How far back they stand, 1…32,768.</param>
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
