using Gateway.Storage.Objects;

namespace Storage.Tests.Objects;

public class ByteBudgetTests
{
    [Fact]
    public void A_budget_gives_all_of_what_is_wanted_or_nothing()
    {
        var budget = new ByteBudget(10);

        Assert.True(budget.TryTake(7));
        Assert.False(budget.TryTake(4));
        Assert.True(budget.TryTake(3));
        Assert.False(budget.TryTake(1));
        Assert.True(budget.TryTake(0));
    }

    [Fact]
    public void A_budget_is_whole_again_when_everything_was_returned()
    {
        var budget = new ByteBudget(10);
        Assert.True(budget.IsWhole);

        budget.TryTake(6);
        budget.TryTake(4);
        Assert.False(budget.IsWhole);
        budget.Return(4);
        Assert.False(budget.IsWhole);
        budget.Return(6);

        Assert.True(budget.IsWhole);
        Assert.Equal(10, budget.Total);
    }

    [Fact]
    public void Of_many_threads_no_two_get_the_same_byte()
    {
        var budget = new ByteBudget(1000);

        var taken = 0;
        Parallel.For(0, 3000, _ => Interlocked.Add(ref taken, budget.TryTake(1) ? 1 : 0));

        Assert.Equal(1000, taken);
    }
}
