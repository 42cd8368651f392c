using Gateway.Upstreams;

namespace Gateway.Tests.Upstreams;

public class SkippingStreamTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(101)]
    public async Task What_is_before_the_offset_is_dropped(int skip)
    {
        var bytes = Enumerable.Range(0, 100).Select(i => (byte)i).ToArray();
        using var rest = new MemoryStream();

        await new SkippingStream(new MemoryStream(bytes), skip).CopyToAsync(rest, bufferSize: 7);

        Assert.Equal(bytes[Math.Min(skip, 100)..], rest.ToArray());
    }
}
