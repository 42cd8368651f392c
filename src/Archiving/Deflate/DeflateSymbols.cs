using System.Numerics;

namespace Gateway.Archiving.Deflate;

/// <summary>The alphabets of deflate and the meaning of their symbols (RFC 1951, section 3.2.5). All their numbers are defined here.</summary>
internal static class DeflateSymbols
{
    public const int MinMatch = 3;
    public const int MaxMatch = 258;
    public const int MaxDistance = 32_768;

    public const int EndOfBlock = 256;
    public const int LiteralAndLengthCount = 286;
    public const int DistanceCount = 30;

    /// <summary>Longest code of both alphabets, in bits.</summary>
    public const int MaxCodeLength = 15;

    private const int FirstLengthSymbol = 257;

    private static ReadOnlySpan<byte> LengthExtraBits =>
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    private static readonly ushort[] LengthSymbols = new ushort[MaxMatch + 1];
    private static readonly (byte Bits, byte Value)[] LengthExtras = new (byte, byte)[MaxMatch + 1];

    static DeflateSymbols()
    {
        var length = MinMatch;
        for (var index = 0; index < LengthExtraBits.Length; index++)
        {
            // Length 258 has a separate symbol, although the previous one could express it too.
            length = index == LengthExtraBits.Length - 1 ? MaxMatch : length;
            var first = length;
            for (var end = Math.Min(length + (1 << LengthExtraBits[index]), MaxMatch + 1); length < end; length++)
            {
                LengthSymbols[length] = (ushort)(FirstLengthSymbol + index);
                LengthExtras[length] = (LengthExtraBits[index], (byte)(length - first));
            }
        }
    }

    /// <summary>The symbol of a match's length, 257…285.</summary>
    public static int LengthSymbol(int length) => LengthSymbols[length];

    /// <summary>The extra bits after the symbol's code: how many, and their value.</summary>
    public static (byte Bits, byte Value) LengthExtra(int length) => LengthExtras[length];

    /// <summary>The symbol of a match's distance, 0…29: two for each power of two.</summary>
    public static int DistanceSymbol(int distance)
    {
        var zeroBased = (uint)distance - 1;
        if (zeroBased < 2)
        {
            return (int)zeroBased;
        }

        var log = BitOperations.Log2(zeroBased);
        return (log << 1) + (int)((zeroBased >> (log - 1)) & 1);
    }

    /// <summary>How many extra bits follow a distance symbol; their value is the zero-based distance's lowest bits.</summary>
    public static int DistanceExtraBits(int symbol) => Math.Max((symbol >> 1) - 1, 0);
}
