using Gateway.Requests;

namespace Gateway.Tests.Requests;

public class CompressionOptionsTests
{
    [Fact]
    public void Without_a_number_there_is_one_worker_for_each_core()
    {
        Assert.Equal(Environment.ProcessorCount, new CompressionOptions().MaxWorkers);

        Assert.Equal(3, new CompressionOptions { Workers = 3 }.MaxWorkers);
    }
}
