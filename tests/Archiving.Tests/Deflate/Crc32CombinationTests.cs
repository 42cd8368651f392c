using System.IO.Hashing;
using CsCheck;
using Gateway.Archiving.Deflate;

namespace Archiving.Tests.Deflate;

public class Crc32CombinationTests
{
    [Fact]
    public void Two_pieces_have_the_checksum_of_the_whole() =>
        Gen.Select(Gen.Byte.Array[0, 5000], Gen.Byte.Array[0, 5000]).Sample((first, second) =>
            Crc32Combination.Combine(Crc32.HashToUInt32(first), Crc32.HashToUInt32(second), second.Length) == Crc32.HashToUInt32([.. first, .. second]));

    [Fact]
    public void Lengths_beyond_four_gibibytes_are_counted_in_full()
    {
        // 2^33 zeros after a byte, by doubling.
        var zeros = Crc32.HashToUInt32(new byte[1 << 20]);
        for (var length = 1L << 20; length < 1L << 33; length *= 2)
        {
            zeros = Crc32Combination.Combine(zeros, zeros, length);
        }

        var one = Crc32.HashToUInt32([1]);
        var half = Crc32.HashToUInt32(new byte[1 << 20]);
        var stepwise = one;
        for (var i = 0; i < 1 << 13; i++)
        {
            stepwise = Crc32Combination.Combine(stepwise, half, 1 << 20);
        }

        Assert.Equal(stepwise, Crc32Combination.Combine(one, zeros, 1L << 33));
    }
}
