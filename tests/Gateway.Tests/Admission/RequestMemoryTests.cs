using Gateway.Admission;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Admission;

public sealed class RequestMemoryTests : IDisposable
{
    private const int Page = 16 * 1024;

    // 4 MiB for requests, 1 MiB for each client.
    private readonly BundleMemory _memory = new(Options.Create(new MemoryOptions { MaxBytes = 16 << 20 }), Options.Create(new LimitOptions()));

    public void Dispose() => _memory.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(4096, 1)]
    [InlineData(4097, 2)]
    [InlineData(65_536, 16)]
    public void A_byte_of_a_body_takes_four_in_whole_pages(long bytes, int pages)
    {
        using var request = _memory.Open("a");

        Assert.Equal(0, request.GrowByBody(bytes));

        Assert.Equal((long)pages * Page, _memory.Leased);
    }

    [Theory]
    [InlineData(16, 1)]
    [InlineData(17, 2)]
    [InlineData(1000, 63)]
    public void An_entry_takes_a_kibibyte(int entries, int pages)
    {
        using var request = _memory.Open("a");

        Assert.Equal(0, request.GrowByEntries(entries));

        Assert.Equal((long)pages * Page, _memory.Leased);
    }

    [Fact]
    public void Many_small_reads_take_no_more_than_one_large_one()
    {
        using var request = _memory.Open("a");

        for (var i = 0; i < 4096; i++)
        {
            Assert.Equal(0, request.GrowByBody(1));
        }

        Assert.Equal(Page, _memory.Leased);
    }

    [Fact]
    public void A_second_request_of_a_client_beyond_its_share_is_a_429()
    {
        using var first = _memory.Open("a");
        using var second = _memory.Open("a");
        Assert.Equal(0, first.GrowByEntries(1000));

        Assert.Equal(0, second.GrowByEntries(16));

        Assert.Equal(429, second.GrowByEntries(16));
    }

    [Fact]
    public void What_was_disposed_can_be_used_again_from_zero()
    {
        using var request = _memory.Open("a");
        request.GrowByBody(10_000);

        request.Dispose();
        Assert.Equal(0, _memory.Leased);
        request.GrowByBody(1);

        Assert.Equal(Page, _memory.Leased);
    }
}
