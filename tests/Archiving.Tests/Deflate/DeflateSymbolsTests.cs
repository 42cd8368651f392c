using Gateway.Archiving.Deflate;

namespace Archiving.Tests.Deflate;

public class DeflateSymbolsTests
{
    // RFC 1951, section 3.2.5, the two tables: first value of each symbol.
    private static readonly int[] LengthBases = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

    private static readonly int[] DistanceBases =
        [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];

    [Fact]
    public void Every_length_has_the_symbol_and_the_extra_bits_of_the_table()
    {
        for (var length = 3; length <= 258; length++)
        {
            var index = Array.FindLastIndex(LengthBases, value => value <= length);
            var (bits, value) = DeflateSymbols.LengthExtra(length);

            Assert.Equal(257 + index, DeflateSymbols.LengthSymbol(length));
            Assert.Equal(length, LengthBases[index] + value);
            Assert.InRange(value, 0, (1 << bits) - 1);
        }
    }

    [Fact]
    public void Every_distance_has_the_symbol_and_the_extra_bits_of_the_table()
    {
        for (var distance = 1; distance <= 32_768; distance++)
        {
            var symbol = DeflateSymbols.DistanceSymbol(distance);
            var bits = DeflateSymbols.DistanceExtraBits(symbol);

            Assert.Equal(Array.FindLastIndex(DistanceBases, value => value <= distance), symbol);
            Assert.Equal(distance, DistanceBases[symbol] + ((distance - 1) & ((1 << bits) - 1)));
        }
    }
}
