using Gateway.Admission;

namespace Gateway.Tests.Admission;

public class MemoryOptionsTests
{
    [Theory]
    [InlineData(1, 16 << 20)]
    [InlineData(16 << 20, 16 << 20)]
    [InlineData(1L << 40, 1L << 40)]
    public void The_limit_is_at_least_16_MiB(long configured, long expected) => Assert.Equal(expected, new MemoryOptions { MaxBytes = configured }.Bound);

    [Fact]
    public void By_default_it_is_half_of_the_memory_that_there_is() =>
        Assert.Equal(Math.Max(16 << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2), new MemoryOptions().Bound);
}
