using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Storage that breaks permanently inside a body: rows 11–21 of the fault table, as far as only an abort is left.</summary>
public class BodyFaultTests
{
    private const int Size = 400_000;

    // Objects that are opened before the first byte are compared with the plan, and planned again.
    private static readonly (string, object)[] OnlyFirstIsOpened = [.. Patience.Usual, ("Upstream:Lookahead", 1)];

    public static TheoryData<Protocol, string, int> Places => Ways.With(0, 1, 2);

    public static TheoryData<Protocol, string, int> Lengths => Ways.With(999, 1001);

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_11_A_body_longer_than_the_manifest_says_is_cut_and_no_byte_past_it_is_sent(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 1000, seed: 1);
        upstream.Fail("/a", new Fault { Chunked = true });
        await using var gateway = await GatewayUnderTest.StartAsync(Patience.Usual, upstream.Address);
        var fields = recipe.Split('&').Select(field => field.Split('=')).Select(pair => $"\"{pair[0]}\":\"{pair[1]}\"");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle")
        {
            Content = new StringContent($$"""{"missing":"abort",{{string.Join(',', fields)}},"entries":[{"id":"s/a","size":999}]}""", null, "application/json"),
        };

        var download = await Download.SendAsync(gateway.ClientOf(protocol), request);

        download.RequireCut();
        Assert.Equal("Upstream/SizeDiffers", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Row_11_A_length_other_than_planned_is_cut(Protocol protocol, string recipe, int actual)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/0", 1000, seed: 2);
        upstream.Put("/a", new ObjectContent(1000, 1), etag: null);
        upstream.Fail("/a", new Fault { Swap = new ScriptedObject(new ObjectContent(actual, 1), null) });

        var outcome = await RequireCut(protocol, recipe, upstream, "s/0,s/a", settings: OnlyFirstIsOpened);

        Assert.Equal("Upstream/SizeDiffers", outcome.Blame);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_12_Without_a_strong_validator_a_stalled_body_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(3 * Size, 1), etag: "W/\"weak\"");
        upstream.Fail("/a", Fault.Stall(100_000));

        var outcome = await RequireCut(protocol, recipe, upstream, "s/a", settings: Patience.Little);

        Assert.Equal(("Upstream/BodyStalled", 0), (outcome.Blame, outcome.EntryIndex));
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

        Assert.Equal(("Upstream/ObjectChanged", 2), (outcome.Blame, upstream.FaultsDelivered));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_13_An_object_that_changed_after_it_was_planned_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/0", 1000, seed: 2);
        upstream.Put("/a", new ObjectContent(Size, 1), etag: "\"old\"");
        upstream.Fail("/a", new Fault { Swap = new ScriptedObject(new ObjectContent(Size, 2), "\"new\"") });

        Assert.Equal("Upstream/ObjectChanged", (await RequireCut(protocol, recipe, upstream, "s/0,s/a", settings: OnlyFirstIsOpened)).Blame);
    }

    [Fact]
    public async Task Row_13_A_first_object_that_changed_after_planning_is_planned_again()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(Size, 1), etag: "\"old\"");
        var changed = new ObjectContent(Size - 7, 2);
        upstream.Fail("/a", new Fault { Swap = new ScriptedObject(changed, "\"new\"") });
        await using var gateway = await GatewayUnderTest.StartAsync(Patience.Usual, upstream.Address);

        Assert.Equal(changed.ToArray(), (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
        await gateway.RequireOneOutcomeAsync();
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_14_A_whole_object_without_a_strong_validator_in_response_to_a_range_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(Size, 1), etag: "\"v1\"");
        upstream.Fail("/a", Fault.Reset(100_000), new Fault { IgnoreRange = true, Without = ["ETag"] });

        Assert.Equal("Upstream/VersionUnknown", (await RequireCut(protocol, recipe, upstream, "s/a")).Blame);
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
    [InlineData(404, "Upstream/NotFound")]
    [InlineData(410, "Upstream/NotFound")]
    [InlineData(416, "Upstream/UnexpectedStatus")]
    [InlineData(302, "Upstream/Redirected")]
    public async Task A_rejected_remainder_is_cut_and_the_reason_is_reported(int status, string blame)
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
        upstream.Fail("/1", new Fault { After = -1, Ending = Ending.Reset, Times = 4 });

        var outcome = await RequireCut(protocol, recipe, upstream, "s/0,s/1", "abort", [.. Patience.Usual, ("Upstream:Attempts", 2)]);

        Assert.Equal(("Upstream/ConnectionBroken", 1), (outcome.Blame, outcome.EntryIndex));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task If_nothing_is_checked_first_available_bytes_are_sent_at_once(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/0", new ObjectContent(3_000_000, 1, compressible: false));
        upstream.Put("/1", 1000, seed: 2);
        upstream.Fail("/1", new Fault { After = -1, Ending = Ending.Stall });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        await using (var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?ids=s/0,s/1&missing=abort&{recipe}"))
        {
            // The second object never arrives. Of the first one, everything but an incomplete block has been sent.
            await client.TakeAsync(2_500_000).WaitAsync(TimeSpan.FromSeconds(20));
        }

        Assert.Equal("Client/ClientGone", (await gateway.RequireOneOutcomeAsync()).Blame);
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

        Assert.Equal(("Upstream/NotFound", lost), (outcome.Blame, outcome.EntryIndex));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_17_The_permanent_loss_of_the_last_byte_is_cut(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", Fault.Close(Size - 1), Fault.Answer(500) with { Times = 4 });

        Assert.Equal("Upstream/StorageError", (await RequireCut(protocol, recipe, upstream, "s/a")).Blame);
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

        Assert.Equal(("Upstream/BodyBroken", 1), (outcome.Blame, outcome.EntryIndex));
    }

    [Fact]
    public async Task Attempts_without_progress_are_counted_and_end_in_a_cut()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", Fault.Close(100_000), Fault.Close(0) with { Times = 100 });

        var outcome = await RequireCut(Protocol.Http1, "format=tar.gz", upstream, "s/a");

        Assert.Equal(("Upstream/BodyBroken", 1 + 4), (outcome.Blame, upstream.FaultsDelivered));
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_21_A_failure_of_an_object_opened_ahead_occurs_at_its_position(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        for (var i = 0; i < 6; i++)
        {
            upstream.Put($"/{i}", 200_000, seed: i);
        }

        upstream.Fail("/2", Fault.Reset(1000));
        upstream.Fail("/4", Fault.Answer(500) with { Times = 4 });

        var outcome = await RequireCut(protocol, recipe, upstream, "s/0,s/1,s/2,s/3,s/4,s/5", "abort", Patience.WithMemory);

        Assert.Equal(("Upstream/StorageError", 4), (outcome.Blame, outcome.EntryIndex));
        Assert.Equal(1, outcome.Resumes);
        Assert.True(outcome.BytesIn >= 4 * 200_000);
    }

    private static async Task RequirePartRefused(Protocol protocol, string recipe, Fault part)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", Fault.Reset(100_000), part);

        Assert.Equal("Upstream/WrongRange", (await RequireCut(protocol, recipe, upstream, "s/a")).Blame);
    }

    private static async Task<Outcome> RequireCut(
        Protocol protocol, string recipe, ScriptedUpstream upstream, string ids, string missing = "fail", (string, object)[]? settings = null)
    {
        // The expected archive, from a server with the same objects and no faults.
        await using var good = upstream.WithoutFaults();
        var url = $"/bundle?ids={ids}&missing={missing}&{recipe}";
        byte[] whole;
        await using (var other = await GatewayUnderTest.StartAsync(good.Address))
        {
            whole = (await Download.GetAsync(other.Client, url)).Bytes;
        }

        var faults = upstream.FaultsLeft;
        await using var gateway = await GatewayUnderTest.StartAsync(settings ?? Patience.Usual, upstream.Address);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), url);

        download.RequireCut(whole);
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.True(outcome.BytesOut >= download.Bytes.Length, "more was received than was reported as sent");
        Assert.InRange(upstream.FaultsDelivered, 1, faults);
        return outcome;
    }
}
