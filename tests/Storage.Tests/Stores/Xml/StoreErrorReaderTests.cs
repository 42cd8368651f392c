using System.Text;
using Gateway.Storage.Stores.Xml;

namespace Storage.Tests.Stores.Xml;

public class StoreErrorReaderTests
{
    [Theory]
    [InlineData("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a</Key><RequestId>1</RequestId><HostId>2</HostId></Error>", "NoSuchKey", null)]
    [InlineData("<Error><Code>AuthorizationHeaderMalformed</Code><Message>x</Message><Region>eu-west-1</Region></Error>", "AuthorizationHeaderMalformed", "eu-west-1")]
    [InlineData("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>SignatureDoesNotMatch</Code><RequestId>tx0</RequestId><HostId>b-default-default</HostId></Error>", "SignatureDoesNotMatch", null)]
    [InlineData("\uFEFF<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>BlobArchived</Code><Message>This operation is not permitted on an archived blob.\nRequestId:1</Message></Error>", "BlobArchived", null)]
    [InlineData("<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code><Message>Access denied.</Message><Details>x</Details></Error>", "AccessDenied", null)]
    [InlineData("<Error xmlns='urn:x'><Region>auto</Region></Error>", null, "auto")]
    [InlineData("<Error><Details><Code>Other</Code></Details><Code>Own</Code></Error>", "Own", null)]
    public void The_errors_of_all_stores_are_read(string xml, string? code, string? region) => Assert.Equal(new StoreError(code, region), Read(xml));

    [Theory]
    [InlineData("<Error><Code>a b</Code><Region>x</Region></Error>")]
    [InlineData("<Error><Code>Code1</Code><Region>x</Region></Error>")]
    [InlineData("<Error><Code>Çode</Code><Region>x</Region></Error>")]
    [InlineData("<Error><Code/><Region>x</Region></Error>")]
    public void A_code_consists_of_ASCII_letters(string xml) => Assert.Equal(new StoreError(null, "x"), Read(xml));

    [Theory]
    [InlineData("EU-WEST-1")]
    [InlineData("eu_west")]
    [InlineData("eu west")]
    [InlineData("é")]
    [InlineData("")]
    [InlineData("a123456789012345678901234567890123")]
    public void A_region_is_a_short_name(string region) => Assert.Equal(new StoreError("x", null), Read($"<Error><Code>x</Code><Region>{region}</Region></Error>"));

    [Fact]
    public void A_code_has_64_letters_at_most()
    {
        Assert.NotNull(Read($"<Error><Code>{new string('a', 64)}</Code></Error>"));
        Assert.Null(Read($"<Error><Code>{new string('a', 65)}</Code></Error>"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not XML")]
    [InlineData("{\"error\":{\"code\":\"x\"}}")]
    [InlineData("<html><Code>x</Code></html>")]
    [InlineData("<Error/>")]
    [InlineData("<Error><Code>x</Code>")]
    [InlineData("<Error><Code>x</Code></Error>x")]
    [InlineData("<Error><Code>x</Code><Code>y</Code></Error>")]
    [InlineData("<Error><Code><b>x</b></Code></Error>")]
    [InlineData("<!DOCTYPE Error><Error><Code>x</Code></Error>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>")]
    [InlineData("<Error><Code>&x;</Code></Error>")]
    [InlineData("<Error><Code>&#xD800;</Code></Error>")]
    public void Anything_else_is_no_error_of_a_store(string body) => Assert.Null(Read(body));

    [Fact]
    public void A_body_that_is_long_or_deep_or_not_UTF_8_is_no_error_of_a_store()
    {
        Assert.Null(Read($"<Error><Code>x</Code><Message>{new string(' ', StoreErrorReader.MaxBytes)}</Message></Error>"));
        Assert.Null(Read(string.Concat(Enumerable.Repeat("<Error>", 1000))));
        Assert.Null(StoreErrorReader.Read((byte[])[.. "<Error><Code>x</Code>"u8, 0xFF, .. "</Error>"u8]));
    }

    private static StoreError? Read(string xml) => StoreErrorReader.Read(Encoding.UTF8.GetBytes(xml));
}
