using Gateway.Storage.Objects;

namespace Storage.Tests.Objects;

public class RetryStateTests
{
    [Fact]
    public void A_destination_is_left_until_every_available_one_has_failed()
    {
        var state = new RetryState(TestSource.Create(destinations: ["a", "b"]), new TransferCounters());
        Assert.True(state.AnyLeft);

        state.Failed("a", traffic: null);
        state.Failed("a", traffic: null);
        Assert.True(state.AnyLeft);
        state.Failed("b", traffic: null);

        Assert.False(state.AnyLeft);
        Assert.Equal(["a", "b"], state.Destinations.Order());
    }

    [Fact]
    public void A_failure_without_a_destination_excludes_none()
    {
        var state = new RetryState(TestSource.Create(destinations: ["a"]), new TransferCounters());

        state.Failed(null, traffic: null);

        Assert.Empty(state.Destinations);
        Assert.True(state.AnyLeft);
    }

    [Fact]
    public void A_destination_that_failed_and_is_no_longer_available_does_not_count_as_left()
    {
        var state = new RetryState(TestSource.Create(destinations: ["b"]), new TransferCounters());

        state.Failed("gone", traffic: null);
        state.Failed("b", traffic: null);

        Assert.False(state.AnyLeft);
    }
}
