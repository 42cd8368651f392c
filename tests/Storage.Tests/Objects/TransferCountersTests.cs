using Gateway.Storage.Objects;

namespace Storage.Tests.Objects;

public class TransferCountersTests
{
    [Fact]
    public void Bytes_retries_and_resumes_are_counted_separately_by_any_number_of_threads()
    {
        var counters = new TransferCounters();

        Parallel.For(0, 100, i =>
        {
            counters.CountBytes(int.MaxValue);
            if (i % 2 == 0)
            {
                counters.CountRetry();
            }

            if (i % 5 == 0)
            {
                counters.CountResume();
            }
        });

        Assert.Equal((100L * int.MaxValue, 50, 20), (counters.Bytes, counters.Retries, counters.Resumes));
    }

    [Fact]
    public async Task Two_objects_of_a_bundle_are_measured_at_the_same_time()
    {
        using var measuring = new TransferCounters().Measuring;

        Assert.True(await measuring.WaitAsync(0));
        Assert.True(await measuring.WaitAsync(0));

        Assert.False(await measuring.WaitAsync(0));
    }
}
