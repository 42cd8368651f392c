using System.Text;
using Gateway.Requests;

namespace Gateway.Tests.Requests;

public class PercentEncodingTests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("plain+text", true)]
    [InlineData("grüße", true)]
    [InlineData("%C3%BC", true)]
    [InlineData("%F0%9F%98%80", true)]
    [InlineData("100%", true)]
    [InlineData("%zz", true)]
    [InlineData("%00", true)]
    [InlineData("%FC", false)]
    [InlineData("%C3", false)]
    [InlineData("%C0%AE", false)]
    [InlineData("%ED%A0%80", false)]
    [InlineData("%F5%80%80%80", false)]
    public void Text_is_UTF_8_if_its_decoded_bytes_are(string text, bool expected)
    {
        Assert.Equal(expected, PercentEncoding.IsUtf8(text));

        Assert.Equal(expected, PercentEncoding.IsUtf8(new ArraySegment<byte>(Encoding.UTF8.GetBytes(text))));
    }

    [Fact]
    public void Bytes_without_percent_signs_are_checked_as_they_are()
    {
        byte[] bytes = [(byte)'a', 0xFC, (byte)'b'];

        Assert.False(PercentEncoding.IsUtf8(new ArraySegment<byte>(bytes)));
        Assert.True(PercentEncoding.IsUtf8(new ArraySegment<byte>(bytes, 2, 1)));
    }
}
