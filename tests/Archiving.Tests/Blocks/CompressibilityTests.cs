using Gateway.Archiving.Blocks;
using Testing;

namespace Archiving.Tests.Blocks;

public class CompressibilityTests
{
    private const int Length = 128 * 1024;

    [Fact]
    public void Random_bytes_are_not_worth_trying() =>
        Assert.False(Compressibility.LooksCompressible(Random(Length)));

    [Fact]
    public void Text_is_worth_trying() =>
        Assert.True(Compressibility.LooksCompressible(new ObjectContent(Length, 1).ToArray()));

    [Theory]
    [InlineData(1000)]
    [InlineData(12_345)]
    [InlineData(30_000)]
    public void Random_bytes_that_repeat_within_the_window_are_worth_trying(int period)
    {
        var once = Random(period);
        var bytes = Enumerable.Range(0, Length).Select(i => once[i % period]).ToArray();

        Assert.True(Compressibility.LooksCompressible(bytes));
    }

    [Fact]
    public void Bytes_of_seven_bits_are_worth_trying() =>
        Assert.True(Compressibility.LooksCompressible([.. Random(Length).Select(b => (byte)(b & 0x7F))]));

    private static byte[] Random(int length) => new ObjectContent(length, 4, compressible: false).ToArray();
}
