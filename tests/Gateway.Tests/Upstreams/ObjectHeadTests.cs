using Gateway.Failures;
using Gateway.Upstreams;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Upstreams;

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
        Assert.Equal(expected, ObjectHead.Of(new HeaderDictionary { ["ETag"] = etag }).ETag);

    [Theory]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1,1")]
    [InlineData("9223372036854775808")]
    [InlineData("0x10")]
    [InlineData("")]
    public void A_length_that_is_none_is_refused(string length) =>
        Assert.Equal(FailureReason.InvalidLength, Assert.Throws<StorageException>(() => ObjectHead.Of(new HeaderDictionary { ["Content-Length"] = length })).Reason);

    [Fact]
    public void Without_a_date_the_epoch_stands() =>
        Assert.Equal(DateTimeOffset.UnixEpoch, ObjectHead.Of(new HeaderDictionary()).Modified);

    [Theory]
    [InlineData("gzip")]
    [InlineData("identity, br")]
    public void An_encoded_body_is_refused(string encoding) =>
        Assert.Equal(FailureReason.Encoded, Assert.Throws<StorageException>(() => ObjectHead.Of(new HeaderDictionary { ["Content-Encoding"] = encoding })).Reason);
}
