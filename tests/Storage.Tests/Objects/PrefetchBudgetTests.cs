using Gateway.Storage.Objects;

namespace Storage.Tests.Objects;

public class PrefetchBudgetTests
{
    [Theory]
    [InlineData(100, 60, 60, 40)]
    [InlineData(100, 100, 100, 0)]
    [InlineData(40, 60, 40, 0)]
    [InlineData(0, 60, 0, 0)]
    [InlineData(100, 0, 0, 100)]
    public void Objects_come_before_ranges(long granted, long wanted, long objects, long ranges)
    {
        var budget = PrefetchBudget.Divide(granted, wanted);

        Assert.Equal((objects, ranges), (budget.Objects.Total, budget.Ranges.Total));
    }

    [Fact]
    public void It_is_whole_only_if_both_parts_are()
    {
        var budget = PrefetchBudget.Divide(10, 5);
        Assert.True(budget.IsWhole);

        budget.Ranges.TryTake(1);
        Assert.False(budget.IsWhole);
        budget.Ranges.Return(1);
        budget.Objects.TryTake(1);

        Assert.False(budget.IsWhole);
    }
}
