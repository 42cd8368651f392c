using System.Net;
using Reliability;
using Testing;

namespace Gateway.FunctionalTests.Reliability;

/// <summary>Short runs of the commands of <c>tests/Reliability</c>; in the full matrix only.</summary>
public class ShortRunTests
{
    [Fact]
    public async Task No_client_accepts_a_truncated_archive()
    {
        Matrix.RequireFull();
        var result = await Cuts.RunAsync(count: 480, seed: 7);

        Assert.Empty(result.Rows.SelectMany(row => row.Undetected));
        Assert.Equal(0, result.WholeBytes);
        Assert.True(result.Faults > 25, "the faults were not delivered");
    }

    [Fact]
    public async Task No_archive_contains_two_versions_of_an_object()
    {
        Matrix.RequireFull();
        var result = await Swaps.RunAsync(count: 400, seed: 7);

        Assert.Equal(0, result.Mixed);
    }

    [Fact]
    public async Task Transient_faults_are_not_noticed()
    {
        Matrix.RequireFull();
        const int Count = 100;
        var (whole, faults) = await Transients.RunAsync(Count, seed: 7);

        Assert.Equal(Count, whole);
        Assert.InRange(faults, Count / 5, 5 * Count);
    }

    [Fact]
    public async Task Connections_to_storage_are_closed_when_clients_disconnect()
    {
        Matrix.RequireFull();
        Assert.Equal(12, (await Departures.RunAsync(12, seed: 7)).Count);
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    public async Task Row_31_Under_ten_times_the_load_admitted_clients_lose_nothing_and_the_others_get_Retry_After(HttpStatusCode status)
    {
        Matrix.RequireFull();
        var result = await Overload.RunAsync(TimeSpan.FromSeconds(1), status);

        Assert.True(result.Started > 0 && result.Whole == result.Started, result.ToString());
        Assert.True(result.Wrong == 0 && result.Inside.Count > 100, result.ToString());
    }
}
