using System.Diagnostics;
using Testing;

namespace Gateway.FunctionalTests.Upstreams;

/// <summary>Storage that breaks inside a body: rows 9–21 of the fault table.</summary>
public class BodyFaultTests
{
    private const int Size = 400_000;

    private static readonly (string, object)[] Quick =
    [
        ("Upstream:FirstByteTimeout", TimeSpan.FromSeconds(5)),
        ("Upstream:StallTimeout", TimeSpan.FromSeconds(20)),

        // Nothing is taken into memory first: what breaks has been passed on in part.
        ("Upstream:LookaheadBytes", 0),
    ];

    private static readonly (string, object)[] InMemory = [.. Quick[..2]];

    // The last word counts.
    private static readonly (string, object)[] Impatient = [.. Quick, ("Upstream:StallTimeout", TimeSpan.FromMilliseconds(400))];

    public static MatrixTheoryData<Protocol, string, int> Offsets => Ways.With(0, 1, 250_001, Size - 1);

    public static MatrixTheoryData<Protocol, string, int> Places => Ways.With(0, 1, 2);

    public static MatrixTheoryData<Protocol, string, int> Lengths => Ways.With(999, 1001);

    [Theory]
    [MemberData(nameof(Offsets))]
    public async Task Row_9_A_reset_after_k_bytes_is_continued_at_that_byte(Protocol protocol, string recipe, int k) =>
        await RequireResumed(protocol, recipe, Fault.Reset(k), k, Quick);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(131_072)]
    [InlineData(Size - 1)]
    public async Task Row_9_A_reset_of_an_object_that_is_taken_into_memory_is_continued_too(int k) =>
        await RequireResumed(Protocol.Http1, "format=tar.gz", Fault.Reset(k), k, InMemory);

    [Theory]
    [MemberData(nameof(Offsets))]
    public async Task Row_10_A_body_that_ends_early_is_continued_at_that_byte(Protocol protocol, string recipe, int k) =>
        await RequireResumed(protocol, recipe, Fault.Close(k), k, Quick);

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_11_A_body_longer_than_the_manifest_says_is_cut_and_no_byte_past_it_is_sent(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 1000, seed: 1);
        upstream.Fail("/a", new Fault { Chunked = true });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);
        var fields = recipe.Split('&').Select(field => field.Split('=')).Select(pair => $"\"{pair[0]}\":\"{pair[1]}\"");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle")
        {
            Content = new StringContent($$"""{"missing":"abort",{{string.Join(',', fields)}},"entries":[{"id":"s/a","size":999}]}""", null, "application/json"),
        };

        var download = await Download.SendAsync(gateway.ClientOf(protocol), request);

        download.RequireCut();
        Assert.Equal("Upstream/Size", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Row_11_A_length_other_than_planned_is_cut(Protocol protocol, string recipe, int actual)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(1000, 1), etag: null);
        upstream.Fail("/a", new Fault { Swap = new ScriptedObject(new ObjectContent(actual, 1), null) });

        var outcome = await RequireCut(protocol, recipe, upstream, "s/a");

        Assert.Equal("Upstream/Size", outcome.Blame);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_12_A_body_that_stands_still_is_continued_at_the_stall_time_out(Protocol protocol, string recipe)
    {
        var outcome = await RequireResumed(protocol, recipe, Fault.Stall(100_000), 100_000, Impatient);

        Assert.InRange(outcome.UpstreamSeconds, 0.3, 5);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_12_Without_a_strong_validator_a_body_that_stands_still_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(3 * Size, 1), etag: "W/\"weak\"");
        upstream.Fail("/a", Fault.Stall(100_000));

        var outcome = await RequireCut(protocol, recipe, upstream, "s/a", settings: Impatient);

        Assert.Equal(("Upstream/Stall", 0), (outcome.Blame, outcome.EntryIndex));
        Assert.InRange(outcome.UpstreamSeconds, 0.3, 5);
        Assert.Equal(1, upstream.FaultsDelivered);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_13_An_object_that_changed_before_it_could_be_continued_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(Size, 1), etag: "\"old\"");
        upstream.Fail("/a", Fault.Reset(100_000), new Fault { Swap = new ScriptedObject(new ObjectContent(Size, 2), "\"new\"") });

        var outcome = await RequireCut(protocol, recipe, upstream, "s/a");

        Assert.Equal(("Upstream/Changed", 2), (outcome.Blame, upstream.FaultsDelivered));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_13_An_object_that_changed_after_it_was_planned_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(Size, 1), etag: "\"old\"");
        upstream.Fail("/a", new Fault { Swap = new ScriptedObject(new ObjectContent(Size, 2), "\"new\"") });

        Assert.Equal("Upstream/Changed", (await RequireCut(protocol, recipe, upstream, "s/a")).Blame);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_14_A_range_that_is_answered_with_the_whole_object_of_the_same_version_is_skipped_forward(Protocol protocol, string recipe) =>
        await RequireResumed(protocol, recipe, Fault.Reset(100_000), 100_000, Quick, new Fault { IgnoreRange = true });

    [Fact]
    public async Task Row_14_Skipping_forward_to_the_last_byte_of_a_large_object_is_as_fast_as_reading_it()
    {
        const int Large = 300 << 20;
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(Large, 1), "\"v1\"");
        upstream.Fail("/a", Fault.Close(Large - 1), new Fault { IgnoreRange = true });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);
        var started = Stopwatch.GetTimestamp();

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        Assert.Null(download.Cut);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 30);
        Assert.Equal(("None/Done", 1), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes) : default);
    }

    [Fact]
    public async Task An_object_that_is_taken_into_memory_first_is_asked_for_again_even_without_a_validator()
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(100_000, 1);
        upstream.Put("/a", content, etag: null);
        upstream.Fail("/a", Fault.Close(50_000));
        await using var gateway = await GatewayUnderTest.StartAsync(InMemory, upstream.Address);

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();

        Assert.Equal(content.ToArray(), entries["s/a"]);
        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Retries);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_14_A_range_that_is_answered_with_the_whole_object_without_a_strong_validator_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(Size, 1), etag: "\"v1\"");
        upstream.Fail("/a", Fault.Reset(100_000), new Fault { IgnoreRange = true, Without = ["ETag"] });

        Assert.Equal("Upstream/Changed", (await RequireCut(protocol, recipe, upstream, "s/a")).Blame);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_15_A_part_without_a_Content_Range_is_cut(Protocol protocol, string recipe) =>
        await RequirePartRefused(protocol, recipe, new Fault { Without = ["Content-Range"] });

    [Theory]
    [InlineData("bytes 99999-399999/400000")]
    [InlineData("bytes 100000-399998/400000")]
    [InlineData("bytes 100000-399999/400001")]
    [InlineData("bytes */400000")]
    [InlineData("pages 100000-399999/400000")]
    [InlineData("nonsense")]
    public async Task Row_15_A_part_with_a_wrong_Content_Range_is_cut(string contentRange) =>
        await RequirePartRefused(Protocol.Http1, "format=tar.gz", new Fault { Headers = new Dictionary<string, string> { ["Content-Range"] = contentRange } });

    [Theory]
    [InlineData(403, "Upstream/Denied")]
    [InlineData(404, "Upstream/Missing")]
    [InlineData(410, "Upstream/Missing")]
    [InlineData(416, "Upstream/Status")]
    [InlineData(302, "Upstream/Policy")]
    public async Task A_rest_that_is_refused_is_cut_and_says_why(int status, string blame)
    {
        foreach (var recipe in Ways.Recipes)
        {
            await using var upstream = new ScriptedUpstream();
            upstream.Put("/a", Size, seed: 1);
            upstream.Fail("/a", Fault.Close(100_000), Fault.Answer(status) with { Times = 4 });

            Assert.Equal(blame, (await RequireCut(Protocol.Http1, recipe, upstream, "s/a")).Blame);
        }
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_16_A_connection_lost_exactly_between_two_entries_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/0", 512 * 100, seed: 1);
        upstream.Put("/1", 512 * 100, seed: 2);
        upstream.Fail("/1", new Fault { After = -1, Ending = Ending.Reset, Times = 2 });

        var outcome = await RequireCut(protocol, recipe, upstream, "s/0,s/1", "abort", [.. Quick, ("Upstream:Attempts", 2)]);

        Assert.Equal(("Upstream/Headers", 1), (outcome.Blame, outcome.EntryIndex));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Where_nothing_is_checked_first_what_is_there_leaves_at_once(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/0", new ObjectContent(3_000_000, 1, compressible: false));
        upstream.Put("/1", 1000, seed: 2);
        upstream.Fail("/1", new Fault { After = -1, Ending = Ending.Stall });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        await using (var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?ids=s/0,s/1&missing=abort&{recipe}"))
        {
            // The second object never comes; of the first all but what waits for a block to be full is here.
            await client.TakeAsync(2_500_000).WaitAsync(TimeSpan.FromSeconds(20));
        }

        Assert.Equal("Client/Gone", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Row_16_A_loss_exactly_between_two_entries_is_cut(Protocol protocol, string recipe, int lost)
    {
        await using var upstream = new ScriptedUpstream();
        for (var i = 0; i < 3; i++)
        {
            upstream.Put($"/{i}", 512 * 100, seed: i);
        }

        upstream.Fail($"/{lost}", Fault.Answer(404));

        var outcome = await RequireCut(protocol, recipe, upstream, "s/0,s/1,s/2", "abort");

        Assert.Equal(("Upstream/Missing", lost), (outcome.Blame, outcome.EntryIndex));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_17_The_loss_of_the_last_byte_for_good_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", Fault.Close(Size - 1), Fault.Answer(500) with { Times = 4 });

        Assert.Equal("Upstream/Status", (await RequireCut(protocol, recipe, upstream, "s/a")).Blame);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_17_The_loss_of_the_last_entry_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Put("/z", new ObjectContent(Size, 2), etag: null);
        upstream.Fail("/z", Fault.Reset(Size - 1));

        var outcome = await RequireCut(protocol, recipe, upstream, "s/a,s/z");

        Assert.Equal(("Upstream/Body", 1), (outcome.Blame, outcome.EntryIndex));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_18_A_body_broken_again_and_again_is_whole_because_each_try_made_progress(Protocol protocol, string recipe)
    {
        const int Breaks = 24;
        const int Step = 128 << 10;
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", (Breaks + 1) * Step, seed: 1);
        upstream.Fail("/a", Fault.Close(Step) with { Times = Breaks });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);

        var entries = (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&{recipe}")).RequireWhole();

        Assert.Equal(Download.Hash(body), Download.Hash(entries["s/a"]));
        Assert.Equal(Breaks, (await gateway.RequireOneOutcomeAsync()).Resumes);
    }

    [Theory]
    [InlineData(Protocol.Http1)]
    [InlineData(Protocol.Http2Tls)]
    public async Task Row_18_A_gibibyte_broken_at_every_mebibyte_is_whole(Protocol protocol)
    {
        const int Breaks = 1023;
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent((Breaks + 1) << 20, 1, compressible: false);
        upstream.Put("/a", content);
        upstream.Fail("/a", Fault.Close(1 << 20) with { Times = Breaks });
        await using var gateway = await GatewayUnderTest.StartAsync(Quick, upstream.Address);

        // A tar of one entry is its header, the object, and its end.
        await using var archive = await gateway.ClientOf(protocol).GetStreamAsync("/bundle?ids=s/a&format=tar");
        await archive.ReadExactlyAsync(new byte[512]);
        Assert.Equal(content.Hash(), await Download.HashAsync(archive, content.Size));
        Assert.Equal(1024, await archive.ReadAtLeastAsync(new byte[2048], 2048, throwOnEndOfStream: false));

        Assert.Equal(("None/Done", Breaks), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes) : default);
    }

    [Fact]
    public async Task Tries_without_progress_are_counted_and_end_in_a_cut()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", Fault.Close(100_000), Fault.Close(0) with { Times = 100 });

        var outcome = await RequireCut(Protocol.Http1, "format=tar.gz", upstream, "s/a");

        Assert.Equal(("Upstream/Body", 1 + 4), (outcome.Blame, upstream.FaultsDelivered));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_20_A_storage_that_drops_us_while_the_client_pauses_is_asked_for_the_rest_when_it_returns(Protocol protocol, string recipe)
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
    public async Task A_pause_longer_than_the_clusters_activity_time_out_ends_in_a_whole_archive()
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
        Assert.Equal("None/Done", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_21_A_failure_of_an_object_opened_ahead_comes_at_its_own_place(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        for (var i = 0; i < 6; i++)
        {
            upstream.Put($"/{i}", 200_000, seed: i);
        }

        upstream.Fail("/2", Fault.Reset(1000));
        upstream.Fail("/4", Fault.Answer(500) with { Times = 4 });

        var outcome = await RequireCut(protocol, recipe, upstream, "s/0,s/1,s/2,s/3,s/4,s/5", "abort", InMemory);

        Assert.Equal(("Upstream/Status", 4), (outcome.Blame, outcome.EntryIndex));
        Assert.Equal(1, outcome.Resumes);
        Assert.True(outcome.BytesIn >= 4 * 200_000);
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
        Assert.Equal(("None/Done", 1), (outcome.Blame, outcome.Resumes));
        Assert.Equal((Size + 2000, download.Bytes.Length), (outcome.BytesIn, outcome.BytesOut));
        Assert.Equal(1 + more.Length, upstream.FaultsDelivered);
        var resume = upstream.Requests.Last(request => request.Path == "/a");
        if (fault.Ending != Ending.Reset)
        {
            // A reset can overtake bytes on their way, so only then the offset is not exactly k.
            Assert.Equal(k == 0 ? null : $"bytes={k}-", resume.Header("Range"));
        }

        Assert.Equal(resume.Header("Range") is null ? null : $"\"v1-{Size}\"", resume.Header("If-Range"));
        return outcome;
    }

    private static async Task RequirePartRefused(Protocol protocol, string recipe, Fault part)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", Fault.Reset(100_000), part);

        Assert.Equal("Upstream/Protocol", (await RequireCut(protocol, recipe, upstream, "s/a")).Blame);
    }

    private static async Task<Outcome> RequireCut(
        Protocol protocol, string recipe, ScriptedUpstream upstream, string ids, string missing = "fail", (string, object)[]? settings = null)
    {
        // What it would have been, from a storage without faults that has the same objects.
        await using var good = upstream.WithoutFaults();
        var url = $"/bundle?ids={ids}&missing={missing}&{recipe}";
        byte[] whole;
        await using (var other = await GatewayUnderTest.StartAsync(good.Address))
        {
            whole = (await Download.GetAsync(other.Client, url)).Bytes;
        }

        var faults = upstream.FaultsLeft;
        await using var gateway = await GatewayUnderTest.StartAsync(settings ?? Quick, upstream.Address);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), url);

        download.RequireCut(whole);
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.True(outcome.BytesOut >= download.Bytes.Length, "more came than is said to have been sent");
        Assert.InRange(upstream.FaultsDelivered, 1, faults);
        return outcome;
    }
}
