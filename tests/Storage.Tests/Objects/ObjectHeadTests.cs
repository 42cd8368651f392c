using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Objects;
using Microsoft.AspNetCore.Http;

namespace Storage.Tests.Objects;

public class ObjectHeadTests
{
    [Theory]
    [InlineData("\"v1\"", "\"v1\"")]
    [InlineData("W/\"v1\"", null)]
    [InlineData("v1", null)]
    [InlineData("*", null)]
    [InlineData("\"a\\\"b\"", null)]
    [InlineData("\"\u00E9\"", null)]
    [InlineData("", null)]
    public void Only_strong_validators_count(string etag, string? expected) =>
        Assert.Equal(expected, ObjectHead.From(new HeaderDictionary { ["ETag"] = etag }).ETag);

    [Theory]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1,1")]
    [InlineData("9223372036854775808")]
    [InlineData("0x10")]
    [InlineData("")]
    public void An_invalid_length_is_rejected(string length) =>
        Assert.Equal(FailureReason.InvalidLength, Assert.Throws<StorageException>(() => ObjectHead.From(new HeaderDictionary { ["Content-Length"] = length })).Reason);

    [Fact]
    public void Without_a_date_the_epoch_is_used() =>
        Assert.Equal(DateTimeOffset.UnixEpoch, ObjectHead.From(new HeaderDictionary()).Modified);

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("", null, null)]
    [InlineData("identity", null, null)]
    [InlineData("GZip", "gzip", "gzip")]
    [InlineData("x-gzip", "x-gzip", "x-gzip")]
    [InlineData("identity, br,", "br", "br")]
    [InlineData("aws-chunked,gzip", "aws-chunked, gzip", "gzip")]
    [InlineData("zstd, utf-8", "zstd, utf-8", "zstd")]
    [InlineData("utf-8", "utf-8", null)]
    [InlineData("aws-chunked", "aws-chunked", null)]
    [InlineData("gzip, gzip", "gzip, gzip", null)]
    [InlineData("deflate", "deflate", null)]
    [InlineData("exi", "exi", null)]
    public void The_codings_of_a_stored_object_are_parsed(string? header, string? codings, string? decodable)
    {
        var encoding = ObjectHead.From(new HeaderDictionary { ["Content-Encoding"] = header }).Encoding;

        Assert.Equal((codings, decodable), (encoding, ContentCodings.FindDecodable(encoding)));
    }

    [Theory]
    [InlineData("gzip;q=1")]
    [InlineData("g zip")]
    [InlineData("gz\u001bip")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Invalid_codings_are_rejected(string header) =>
        Assert.Equal(FailureReason.InvalidResponse, Assert.Throws<StorageException>(() => ObjectHead.From(new HeaderDictionary { ["Content-Encoding"] = header })).Reason);
}
