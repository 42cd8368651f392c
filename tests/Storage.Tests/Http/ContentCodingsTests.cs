using System.IO.Compression;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Microsoft.Extensions.Primitives;
using ZstdSharp;

namespace Storage.Tests.Http;

public class ContentCodingsTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i / 7))];

    [Fact]
    public void Several_header_lines_are_one_list_in_the_order_of_application() =>
        Assert.Equal("aws-chunked, gzip", ContentCodings.Parse(new StringValues(["AWS-Chunked", "identity, GZIP ,"])));

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_list_of_at_most_64_characters_is_accepted(int length, bool isAccepted)
    {
        var coding = new string('a', length);

        var failure = Record.Exception(() => Assert.Equal(coding, ContentCodings.Parse(coding)));

        Assert.Equal(isAccepted, failure is null);
        Assert.Equal(isAccepted ? null : FailureReason.InvalidResponse, (failure as StorageException)?.Reason);
    }

    [Fact]
    public void The_text_of_a_rejected_header_is_not_repeated()
    {
        var failure = Assert.Throws<StorageException>(() => ContentCodings.Parse("gzip;secret"));

        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("aws-chunked, br", "br")]
    [InlineData("zstd, utf-8, aws-chunked", "zstd")]
    [InlineData("gzip, br", null)]
    [InlineData("utf-8, aws-chunked", null)]
    [InlineData("compress", null)]
    [InlineData(null, null)]
    public void Exactly_one_supported_coding_is_decodable(string? codings, string? expected) =>
        Assert.Equal(expected, ContentCodings.FindDecodable(codings));

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("br")]
    [InlineData("zstd")]
    public async Task What_was_encoded_is_decoded_to_the_same_bytes(string coding)
    {
        using var stored = new MemoryStream(Encode(coding));
        using var decoded = new MemoryStream();

        await using var decoder = ContentCodings.Decode(stored, coding);
        await decoder.CopyToAsync(decoded);

        Assert.Equal(Content, decoded.ToArray());
    }

    [Fact]
    public async Task A_zstd_window_above_8_MiB_is_refused()
    {
        // A frame header (RFC 8878, section 3.1.1): magic number, no single segment, a window of 16 MiB.
        using var stored = new MemoryStream([0x28, 0xB5, 0x2F, 0xFD, 0x00, 14 << 3, 0x01, 0x00, 0x00]);
        await using var decoder = ContentCodings.Decode(stored, "zstd");

        var failure = await Assert.ThrowsAsync<ZstdException>(() => decoder.ReadAsync(new byte[1]).AsTask());

        Assert.Equal(ZstdSharp.Unsafe.ZSTD_ErrorCode.ZSTD_error_frameParameter_windowTooLarge, failure.Code);
    }

    private static byte[] Encode(string coding)
    {
        using var stored = new MemoryStream();
        using (Stream encoder = coding switch
        {
            "br" => new BrotliStream(stored, CompressionLevel.Fastest),
            "zstd" => new CompressionStream(stored),
            _ => new GZipStream(stored, CompressionLevel.Fastest),
        })
        {
            encoder.Write(Content);
        }

        return stored.ToArray();
    }
}
