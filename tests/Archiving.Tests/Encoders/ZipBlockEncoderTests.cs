using System.IO.Compression;
using Gateway.Archiving;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Encoders;
using Testing;

namespace Archiving.Tests.Encoders;

public class ZipBlockEncoderTests
{
    private static readonly BlockEncoder Encoder = EncoderCatalogue.Get(new ArchiveRecipe(ArchiveFormat.Zip));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(2000)]
    public void A_stored_block_is_split_within_signatures_and_survives_a_round_trip(int signatures)
    {
        var plain = new ObjectContent(ArchiveRecipe.BlockSize, 1, compressible: false).ToArray();
        for (var i = 0; i < signatures; i++)
        {
            new byte[] { 0x50, 0x4B, 3, 4 }.CopyTo(plain, i * (plain.Length - 4) / Math.Max(signatures - 1, 1));
        }

        var output = new byte[Encoder.MaxLength(plain.Length)];
        var length = Encoder.Encode(plain, output);

        var encoded = output.AsSpan(0, length);
        using var inflate = new DeflateStream(new MemoryStream([.. encoded, .. StoredDeflate.Final]), CompressionMode.Decompress);
        using var decoded = new MemoryStream();
        inflate.CopyTo(decoded);
        Assert.Equal(plain, decoded.ToArray());
        if (length > plain.Length)
        {
            Assert.Equal(Math.Max(signatures - 64, 0), Count(encoded, [0x50, 0x4B, 3, 4]));
        }
    }

    [Theory]
    [InlineData(1, 2, true)]
    [InlineData(3, 4, true)]
    [InlineData(5, 6, true)]
    [InlineData(7, 8, true)]
    [InlineData(3, 5, false)]
    public void Only_signatures_are_split(byte first, byte second, bool isCut)
    {
        var plain = new ObjectContent(1000, 1, compressible: false).ToArray();
        new byte[] { 0x50, 0x4B, first, second }.CopyTo(plain, 996);

        var length = Encoder.Encode(plain, new byte[Encoder.MaxLength(plain.Length)]);

        Assert.Equal(plain.Length + (isCut ? 10 : 5), length);
    }

    private static int Count(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> what)
    {
        var count = 0;
        for (; bytes.IndexOf(what) is >= 0 and var at; bytes = bytes[(at + what.Length)..])
        {
            count++;
        }

        return count;
    }
}
