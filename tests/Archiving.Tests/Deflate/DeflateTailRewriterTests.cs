using System.IO.Compression;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Deflate;
using Testing;

namespace Archiving.Tests.Deflate;

public class DeflateTailRewriterTests
{
    private readonly DeflateTailRewriter _end = new();

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.Optimal)]
    [InlineData(CompressionLevel.SmallestSize)]
    public void Streams_of_stored_fixed_and_dynamic_blocks_become_pieces_of_one(CompressionLevel level)
    {
        // Short ones are fixed blocks, long ones several dynamic blocks.
        var plain = new[] { 0, 1, 2, 3, 10, 100, 5000, 300_000 }.Select(size => new ObjectContent(size, size).ToArray()).ToArray();
        using var joined = new MemoryStream();
        foreach (var (buffer, length) in plain.Select(bytes => Deflate(bytes, level)))
        {
            joined.Write(buffer, 0, _end.Open(buffer, length));
        }

        joined.Write(StoredDeflate.Final);
        joined.Position = 0;
        using var inflate = new DeflateStream(joined, CompressionMode.Decompress);
        using var back = new MemoryStream();
        inflate.CopyTo(back);
        Assert.Equal(plain.SelectMany(bytes => bytes), back.ToArray());
    }

    [Fact]
    public void A_stream_that_is_truncated_anywhere_is_rejected()
    {
        var (buffer, length) = Deflate(new ObjectContent(3000, 1).ToArray(), CompressionLevel.Optimal);
        for (var cut = 0; cut < length; cut++)
        {
            Assert.Throws<InvalidDataException>(() => _end.Open([.. buffer[..cut], .. new byte[16]], cut));
        }
    }

    [Fact]
    public void Garbage_is_rejected_or_ends_within_its_bounds()
    {
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var length = random.Next(0, 200);
            var buffer = new byte[length + DeflateTailRewriter.Growth];
            random.NextBytes(buffer.AsSpan(0, length));
            try
            {
                Assert.InRange(_end.Open(buffer, length), 1, buffer.Length);
            }
            catch (InvalidDataException)
            {
                // Expected.
            }
        }
    }

    private static (byte[] Buffer, int Length) Deflate(byte[] plain, CompressionLevel level)
    {
        using var stream = new MemoryStream();
        using (var deflate = new DeflateStream(stream, level, leaveOpen: true))
        {
            deflate.Write(plain);
        }

        // The runtime writes nothing for empty input; the result is the empty last block.
        var bytes = plain.Length == 0 ? StoredDeflate.Final.ToArray() : stream.ToArray();
        return ([.. bytes, .. new byte[DeflateTailRewriter.Growth]], bytes.Length);
    }
}
