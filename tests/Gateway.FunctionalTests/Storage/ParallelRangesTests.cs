using Gateway.Storage;
using Gateway.Storage.Objects;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Gateway.FunctionalTests.Storage;

public class ParallelRangesTests
{
    private const int Part = 1 << 20;
    private const int Size = (5 * Part) + 12_345;

    private static readonly (int From, int To)[] Parts = [.. Enumerable.Range(1, 5).Select(i => (i * Part, Math.Min((i + 1) * Part, Size) - 1))];

    [Theory]
    [InlineData("fail")]
    [InlineData("abort")]
    public async Task A_large_object_is_read_in_parts_each_requested_once_and_pinned_to_its_version(string missing)
    {
        await using var upstream = new ScriptedUpstream();
        var bytes = upstream.Put("/a", Size, seed: 1, compressible: false);
        await using var gateway = await StartAsync(upstream);

        var entries = (await Download.GetAsync(gateway.Client, $"/bundle?missing={missing}&ids=s/a")).RequireWhole();

        Assert.Equal(bytes, entries["s/a"]);
        var ranges = upstream.Requests.Where(request => request.Header("Range") is not null).ToList();
        Assert.Equal(Parts.Select(part => $"bytes={part.From}-{part.To}"), ranges.Select(request => request.Header("Range")).Order(StringComparer.Ordinal));
        Assert.All(ranges, request => Assert.Equal($"\"v1-{Size}\"", request.Header("If-Range")));
        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task The_cluster_s_number_of_parts_is_requested_at_once()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", new Fault { Range = Range(0), After = 0, Ending = Ending.Stall }, new Fault { After = 0, Ending = Ending.Stall, Times = 9 });
        await using var gateway = await StartAsync(upstream, at: 3);
        using var stop = new CancellationTokenSource();
        var bundle = gateway.Client.GetAsync("/bundle?missing=abort&ids=s/a", HttpCompletionOption.ResponseContentRead, stop.Token);

        await Eventually.TrueAsync(() => upstream.FaultsDelivered >= 1, "the first part is requested");
        Assert.Equal(4, await Eventually.StandsStillAsync(() => upstream.Requests.Count, TimeSpan.FromMilliseconds(200)));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bundle);
        await gateway.RequireOneOutcomeAsync();
    }

    [Theory]
    [InlineData(416)]
    [InlineData(403)]
    public async Task Row_43_If_storage_rejects_ranges_the_object_is_read_as_one_stream(int status)
    {
        await using var upstream = new ScriptedUpstream { RangeStatus = status };
        var bytes = upstream.Put("/a", Size, seed: 1, compressible: false);
        await using var gateway = await StartAsync(upstream);

        Assert.Equal(bytes, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task Row_42_Parts_shorter_than_requested_are_completed()
    {
        await using var upstream = new ScriptedUpstream { MaxPart = 300_000 };
        var bytes = upstream.Put("/a", Size, seed: 1, compressible: false);
        await using var gateway = await StartAsync(upstream);

        Assert.Equal(bytes, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
        Assert.Equal(("None/None", 0), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
    }

    [Fact]
    public async Task A_broken_part_is_repaired_transparently()
    {
        await using var upstream = new ScriptedUpstream();
        var bytes = upstream.Put("/a", Size, seed: 1, compressible: false);
        upstream.Fail("/a", Fault.Reset(1000) with { Range = Range(2) }, Fault.Answer(503) with { Range = $"bytes={Parts[2].From + 1000}-{Parts[2].To}" });
        await using var gateway = await StartAsync(upstream);

        Assert.Equal(bytes, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);

        Assert.Equal(2, upstream.FaultsDelivered);
    }

    [Fact]
    public async Task Storage_without_range_support_is_read_as_one_stream()
    {
        await using var upstream = new ScriptedUpstream();
        var bytes = upstream.Put("/a", Size, seed: 1, compressible: false);
        upstream.Fail("/a", new Fault { IgnoreRange = true, Times = 20 });
        await using var gateway = await StartAsync(upstream);

        Assert.Equal(bytes, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);

        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task An_object_that_changes_between_its_parts_cuts_the_archive()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1, compressible: false);
        upstream.Fail("/a", new Fault { Range = Range(3), Swap = new ScriptedObject(new ObjectContent(Size, 2, compressible: false), "\"other\"") });
        await using var gateway = await StartAsync(upstream, at: 2);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireCut();

        Assert.Equal("Upstream/ObjectChanged", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task A_stalled_client_costs_no_more_than_the_parts_in_progress()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        await using var gateway = await StartAsync(upstream);
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?format=tar&ids=s/a");

        Assert.InRange(await Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromMilliseconds(500)), 4 * Part, 6 * Part);
    }

    [Fact]
    public async Task Without_memory_for_two_parts_an_object_is_read_as_one_stream()
    {
        await using var upstream = new ScriptedUpstream();
        var bytes = upstream.Put("/a", Size, seed: 1, compressible: false);
        await using var gateway = await StartAsync(upstream, settings: [("Upstream:RangeBytes", Part), ("Memory:MaxBytes", 16 << 20), ("Limits:MaxActive", 64)]);

        Assert.Equal(bytes, (await Download.GetAsync(gateway.Client, "/bundle?missing=abort&ids=s/a")).RequireWhole()["s/a"]);

        Assert.Single(upstream.Requests);
    }

    [Fact]
    public async Task The_largest_parts_that_can_be_configured_return_all_their_memory()
    {
        const int Largest = 64 << 20;
        var configuration = GatewayUnderTest.Configuration(("s", ["http://127.0.0.1:9/"]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:Metadata:Bundle.ParallelRanges", "32");
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:RangeBytes", Largest);
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        var services = gateway.App.Services;
        var request = new ObjectRequest(services.GetRequiredService<SourceIndex>().Find("s")!, "a", ClientContext.From(new DefaultHttpContext()));
        var budget = new ByteBudget(32L * Largest);

        var ranges = ParallelRanges.TryStart(
            services.GetRequiredService<ObjectStore>(), new(request, new ObjectHead(64L * Largest, "\"v1\"", default), default), new TransferCounters(), budget, new CancellationToken(canceled: true));
        Assert.False(budget.TryTake(1));
        await ranges!.DisposeAsync();

        Assert.True(budget.IsWhole);
    }

    [Theory]
    [InlineData("Bundle.ParallelRanges", "0", "is not a number from 1 to 32")]
    [InlineData("Bundle.ParallelRanges", "many", "is not a number from 1 to 32")]
    [InlineData("Bundle.ParallelRange", "4", "unknown key")]
    public async Task An_invalid_setting_is_reported_at_startup(string key, string value, string fault)
    {
        var configuration = GatewayUnderTest.Configuration(("s", ["http://127.0.0.1:9/"]));
        GatewayUnderTest.Set(configuration, $"ReverseProxy:Clusters:s:Metadata:{key}", value);

        var failure = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration));

        Assert.Contains($"ReverseProxy:Clusters:s:Metadata:{key}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(fault, failure.Message, StringComparison.Ordinal);
    }

    private static string Range(int part) => $"bytes={Parts[part].From}-{Parts[part].To}";

    private static Task<GatewayUnderTest> StartAsync(ScriptedUpstream upstream, int at = 4, (string Key, object Value)[]? settings = null)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:Metadata:Bundle.ParallelRanges", $"{at}");
        foreach (var (key, value) in settings ?? [("Upstream:RangeBytes", Part)])
        {
            GatewayUnderTest.Set(configuration, "Bundle:" + key, value);
        }

        return GatewayUnderTest.StartAsync(configuration);
    }
}
