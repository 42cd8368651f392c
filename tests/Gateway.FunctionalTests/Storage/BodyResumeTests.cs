using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Bodies that break and whose remainder is requested: rows 9–20 of the fault table, as far as clients notice nothing.</summary>
public class BodyResumeTests
{
    private const int Size = 400_000;

    public static TheoryData<Protocol, string, int> Offsets => Ways.With(0, 1, 250_001, Size - 1);

    [Theory]
    [MemberData(nameof(Offsets))]
    public async Task Row_9_A_reset_after_k_bytes_is_continued_at_that_byte(Protocol protocol, string recipe, int k) =>
        await RequireResumed(protocol, recipe, Fault.Reset(k), k, Patience.Usual);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(131_072)]
    [InlineData(Size - 1)]
    public async Task Row_9_A_reset_of_an_object_that_is_read_into_memory_is_continued_too(int k) =>
        await RequireResumed(Protocol.Http1, "format=tar.gz", Fault.Reset(k), k, Patience.WithMemory);

    [Theory]
    [MemberData(nameof(Offsets))]
    public async Task Row_10_A_body_that_ends_early_is_continued_at_that_byte(Protocol protocol, string recipe, int k) =>
        await RequireResumed(protocol, recipe, Fault.Close(k), k, Patience.Usual);

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_12_A_stalled_body_is_continued_at_the_stall_timeout(Protocol protocol, string recipe)
    {
        var outcome = await RequireResumed(protocol, recipe, Fault.Stall(100_000), 100_000, Patience.Little);

        Assert.InRange(outcome.UpstreamSeconds, 0.3, 5);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_14_A_whole_object_of_the_same_version_in_response_to_a_range_is_skipped_forward(Protocol protocol, string recipe) =>
        await RequireResumed(protocol, recipe, Fault.Reset(100_000), 100_000, Patience.Usual, new Fault { IgnoreRange = true });

    [Fact]
    public async Task Row_14_Skipping_forward_to_the_last_byte_of_a_large_object_is_as_fast_as_reading_it()
    {
        const int Large = 48 << 20;
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(Large, 1), "\"v1\"");
        await using var gateway = await GatewayUnderTest.StartAsync(Patience.Usual, upstream.Address);
        await ReadAsync();
        var (reading, _) = await ReadAsync();

        upstream.Fail("/a", Fault.Close(Large - 1), new Fault { IgnoreRange = true });
        var (skipping, outcome) = await ReadAsync();

        // What is skipped is read once more; the rest is a margin for a busy machine.
        Assert.InRange(skipping, TimeSpan.Zero, (5 * reading) + TimeSpan.FromSeconds(5));
        Assert.Equal(("None/None", 1), (outcome.Blame, outcome.Resumes));

        async Task<(TimeSpan Time, Outcome Outcome)> ReadAsync()
        {
            var started = TimeProvider.System.GetTimestamp();
            var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&format=tar");
            var time = TimeProvider.System.GetElapsedTime(started);
            Assert.Null(download.Cut);
            return (time, await gateway.RequireOneOutcomeAsync());
        }
    }

    [Fact]
    public async Task An_object_that_is_read_into_memory_first_is_requested_again_even_without_a_validator()
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(100_000, 1);
        upstream.Put("/a", content, etag: null);
        upstream.Fail("/a", Fault.Close(50_000));
        await using var gateway = await GatewayUnderTest.StartAsync(Patience.WithMemory, upstream.Address);

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();

        Assert.Equal(content.ToArray(), entries["s/a"]);
        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Retries);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_18_A_body_that_breaks_repeatedly_is_whole_because_each_attempt_made_progress(Protocol protocol, string recipe)
    {
        const int Breaks = 24;
        const int Step = 128 << 10;
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", (Breaks + 1) * Step, seed: 1);
        upstream.Fail("/a", Fault.Close(Step) with { Times = Breaks });
        await using var gateway = await GatewayUnderTest.StartAsync(Patience.Usual, upstream.Address);

        var entries = (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&{recipe}")).RequireWhole();

        Assert.Equal(Download.Hash(body), Download.Hash(entries["s/a"]));
        Assert.Equal(Breaks, (await gateway.RequireOneOutcomeAsync()).Resumes);
    }

    [Theory]
    [InlineData(Protocol.Http1)]
    [InlineData(Protocol.Http2Tls)]
    public async Task Row_18_An_object_that_breaks_at_every_mebibyte_is_whole(Protocol protocol)
    {
        var breaks = Matrix.Of(full: 1023, reduced: 31);
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent((long)(breaks + 1) << 20, 1, compressible: false);
        upstream.Put("/a", content);
        upstream.Fail("/a", Fault.Close(1 << 20) with { Times = breaks });
        await using var gateway = await GatewayUnderTest.StartAsync(Patience.Usual, upstream.Address);

        // A tar of one entry is its header, the object, and its end.
        await using var archive = await gateway.ClientOf(protocol).GetStreamAsync("/bundle?ids=s/a&format=tar");
        await archive.ReadExactlyAsync(new byte[512]);
        Assert.Equal(content.Hash(), await Download.HashAsync(archive, content.Size));
        Assert.Equal(1024, await archive.ReadAtLeastAsync(new byte[2048], 2048, throwOnEndOfStream: false));

        Assert.Equal(("None/None", breaks), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes) : default);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_20_If_storage_closes_the_connection_during_a_pause_the_remainder_is_requested_afterwards(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream { SendTimeout = TimeSpan.FromMilliseconds(300), SendBuffer = 64 * 1024 };
        var content = new ObjectContent(16 << 20, 1, compressible: false);
        upstream.Put("/a", content);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        await using var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?ids=s/a&{recipe}");

        await Eventually.TrueAsync(() => upstream.FaultsDelivered > 0, "storage has dropped the paused connection");
        var entries = (await client.TakeRestAsync()).RequireWhole();

        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.True(outcome.Resumes > 0);
        Assert.True(outcome.ClientSeconds > 0.2);
    }

    [Fact]
    public async Task A_pause_longer_than_the_clusters_activity_timeout_ends_in_a_whole_archive()
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(64 << 20, 1, compressible: false);
        upstream.Put("/a", content);
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HttpRequest:ActivityTimeout", TimeSpan.FromMilliseconds(200));
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");

        await Eventually.StandsStillAsync(() => upstream.BodyBytes, TimeSpan.FromSeconds(1));
        var entries = (await client.TakeRestAsync()).RequireWhole();

        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(405)]
    [InlineData(416)]
    [InlineData(501)]
    public async Task Row_43_An_object_is_read_again_from_its_beginning_if_storage_rejects_ranges(int status)
    {
        await using var upstream = new ScriptedUpstream { RangeStatus = status };
        var body = upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", Fault.Close(250_000), Fault.Close(300_000) with { Range = "none" });
        await using var gateway = await GatewayUnderTest.StartAsync(Patience.Usual, upstream.Address);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
        Assert.Equal(("None/None", 1, 0), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes, outcome.Retries) : default);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(65_536)]
    public async Task Row_42_A_part_shorter_than_requested_is_used_and_the_remainder_is_requested(int most)
    {
        await using var upstream = new ScriptedUpstream { MaxPart = most };
        var body = upstream.Put("/a", 100_000, seed: 1);
        upstream.Fail("/a", Fault.Close(60_000));
        await using var gateway = await GatewayUnderTest.StartAsync([.. Patience.Usual, ("Upstream:Attempts", 1)], upstream.Address);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole()["s/a"]);
        Assert.Equal(("None/None", 1), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes) : default);
    }

    [Fact]
    public async Task Row_44_A_trickling_body_is_continued_elsewhere_and_finally_cut()
    {
        var settings = new (string, object)[] { ("Upstream:StallTimeout", TimeSpan.FromMilliseconds(300)), ("Upstream:MinRate", 10_000), ("Upstream:LookaheadBytes", 0) };
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", Size, seed: 1);
        var slow = new Fault { After = 100_000, Trickle = TimeSpan.FromMilliseconds(20) };
        upstream.Fail("/a", slow);
        await using var gateway = await GatewayUnderTest.StartAsync(settings, upstream.Address);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole()["s/a"]);
        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Resumes);

        upstream.Fail("/a", slow, slow with { After = 0, Times = 100 });
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireCut();
        Assert.Equal("Upstream/BodySlow", (await gateway.Outcomes.NextAsync()).Blame);
    }

    private static async Task<Outcome> RequireResumed(Protocol protocol, string recipe, Fault fault, int k, (string, object)[] settings, params Fault[] more)
    {
        await using var upstream = new ScriptedUpstream();
        var before = upstream.Put("/0", 1000, seed: 5);
        var body = upstream.Put("/a", Size, seed: 1);
        var after = upstream.Put("/z", 1000, seed: 6);
        upstream.Fail("/a", [fault, .. more]);
        await using var gateway = await GatewayUnderTest.StartAsync(settings, upstream.Address);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/0,s/a,s/z&{recipe}");

        Assert.Equal([before, body, after], download.RequireWhole().Values);
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("None/None", 1), (outcome.Blame, outcome.Resumes));
        Assert.Equal((Size + 2000, download.Bytes.Length), (outcome.BytesIn, outcome.BytesOut));
        Assert.Equal(1 + more.Length, upstream.FaultsDelivered);
        var resume = upstream.Requests.Last(request => request.Path == "/a");
        if (fault.Ending != Ending.Reset)
        {
            // A reset can overtake bytes in flight; only then the offset is not exactly k.
            Assert.Equal(k == 0 ? null : $"bytes={k}-", resume.Header("Range"));
        }

        Assert.Equal(resume.Header("Range") is null ? null : $"\"v1-{Size}\"", resume.Header("If-Range"));
        return outcome;
    }
}
