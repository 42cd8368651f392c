using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>The rows of the fault table with a store: it verifies the signature of every attempt, resume and part.</summary>
public class StoreFaultTests
{
    private const int Size = 400_000;
    private const int Part = 1 << 20;
    private const int LargeSize = (5 * Part) + 12_345;

    private static readonly (string Key, object? Value)[] Parallel = [("ReverseProxy:Clusters:s:Metadata:Bundle.ParallelRanges", "4"), ("Upstream:RangeBytes", Part)];

    public static TheoryData<Protocol, string, int> Breaks => Ways.With(0, 1, 250_001, Size - 1);

    public static TheoryData<Protocol, string, int> Entries => Ways.With(0, 1, 2);

    public static TheoryData<Protocol, string> Missing => Ways.Each(Ways.Protocols, ["fail", "skip", "abort"]);

    [Theory]
    [InlineData("attempt")]
    [InlineData("resume")]
    [InlineData("part")]
    public async Task A_request_that_is_sent_again_later_has_a_new_signature(string what)
    {
        // The pauses are longer than a signature is valid.
        var pause = TimeSpan.FromSeconds(5);
        await using var store = new ScriptedS3 { MaxSkew = TimeSpan.FromSeconds(3) };
        var body = store.Put("a", LargeSize, seed: 1);
        store.Fail("a", what switch
        {
            "attempt" => new Fault { After = -1, Ending = Ending.Stall },
            "resume" => Fault.Stall(100_000),
            _ => Fault.Stall(1000) with { Range = $"bytes={2 * Part}-{(3 * Part) - 1}" },
        });
        await using var gateway = await StoreGateway.StartAsync(store, [("Upstream:FirstByteTimeout", pause), ("Upstream:StallTimeout", pause), .. what == "part" ? Parallel : []]);

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole();

        Assert.Equal(body, entries["s/a"]);
        Assert.Empty(store.Refused);
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.Equal(1, store.Upstream.FaultsDelivered);
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_1_A_refused_connection_is_502(Protocol protocol)
    {
        using var closed = new ClosedPort();
        await using var gateway = await GatewayUnderTest.StartAsync(StoreGateway.Configure($"{closed.Address}bucket/", "bucket"));

        var download = await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a");

        download.RequireEarly(502);
        Assert.Equal(("Upstream/ConnectionRefused", 3), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_4_Errors_of_the_store_are_outlasted(Protocol protocol, string recipe)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Size, seed: 1);
        store.Fail("a", 500, "InternalError");
        store.Fail("a", 400, "RequestTimeout");
        await using var gateway = await StoreGateway.StartAsync(store);

        var entries = (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&missing=abort&{recipe}")).RequireWhole();

        Assert.Equal(body, entries["s/a"]);
        Assert.Empty(store.Refused);
        Assert.Equal(("None/None", 2), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_5_SlowDown_is_outlasted_and_a_long_Retry_After_is_forwarded(Protocol protocol)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Size, seed: 1);
        store.Put("b", Size, seed: 2);
        store.Fail("a", 503, "SlowDown", "HEAD");
        store.Fail("a", 503, "SlowDown");
        store.Fail("b", Fault.Answer(503, ("Retry-After", "3600")) with { Times = 100 });
        await using var gateway = await StoreGateway.StartAsync(store);

        var slow = await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/a");
        var busy = await Download.GetAsync(gateway.ClientOf(protocol), "/bundle?ids=s/b");

        Assert.Equal(body, slow.RequireWhole()["s/a"]);
        busy.RequireEarly(503);
        Assert.Equal("3600", busy.Response.Headers.RetryAfter!.ToString());
        Assert.Empty(store.Refused);
    }

    [Theory]
    [MemberData(nameof(Missing))]
    public async Task Row_6_A_missing_object_is_reported_as_the_client_has_chosen(Protocol protocol, string missing)
    {
        await using var store = new ScriptedS3();
        store.Put("a", 1000, seed: 1);
        store.Put("z", 1000, seed: 2);
        await using var gateway = await StoreGateway.StartAsync(store);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a,s/none,s/z&missing={missing}");

        switch (missing)
        {
            case "fail":
                download.RequireEarly(404);
                break;
            case "skip":
                Assert.Equal(["s/a", "s/z"], download.RequireWhole().Keys);
                break;
            default:
                download.RequireCut();
                break;
        }

        Assert.Empty(store.Refused);
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Row_9_A_reset_is_continued_with_If_Match(Protocol protocol, string recipe, int k) => await RequireResumedAsync(protocol, recipe, Fault.Reset(k), Patience.Usual);

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Row_10_A_body_that_ends_early_is_continued_with_If_Match(Protocol protocol, string recipe, int k) => await RequireResumedAsync(protocol, recipe, Fault.Close(k), Patience.Usual);

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_12_A_stalled_body_is_continued_with_If_Match(Protocol protocol, string recipe) => await RequireResumedAsync(protocol, recipe, Fault.Stall(100_000), Patience.Little);

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_13_An_object_that_is_replaced_before_the_resume_cuts_the_archive(Protocol protocol, string recipe)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        store.Fail("a", Fault.Close(100_000), new Fault { Swap = new ScriptedObject(new ObjectContent(Size, 2), "\"another\"") });
        await using var gateway = await StoreGateway.StartAsync(store, [.. Patience.Usual]);

        (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&{recipe}")).RequireCut();

        Assert.Equal("Upstream/ObjectChanged", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.Empty(store.Refused);
    }

    [Theory]
    [MemberData(nameof(Entries))]
    public async Task Row_16_An_object_that_never_begins_cuts_the_archive_between_two_entries(Protocol protocol, string recipe, int lost)
    {
        await using var store = new ScriptedS3();
        foreach (var i in Enumerable.Range(0, 3))
        {
            store.Put($"{i}", 1000, seed: i);
        }

        store.Fail($"{lost}", new Fault { After = -1, Ending = Ending.Reset, Times = 100 });
        await using var gateway = await StoreGateway.StartAsync(store, [("Upstream:Attempts", 2)]);

        (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/0,s/1,s/2&missing=abort&{recipe}")).RequireCut();

        Assert.Equal(("Upstream/ConnectionBroken", lost), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.EntryIndex) : default);
        Assert.Empty(store.Refused);
    }

    [Fact]
    public async Task Row_18_A_body_that_breaks_repeatedly_is_whole()
    {
        var breaks = Matrix.Of(full: 255, reduced: 15);
        await using var store = new ScriptedS3();
        var content = new ObjectContent((long)(breaks + 1) << 20, 1, compressible: false);
        store.Put("a", content, "\"v1\"");
        store.Fail("a", Fault.Close(1 << 20) with { Times = breaks });
        await using var gateway = await StoreGateway.StartAsync(store, [.. Patience.Usual]);

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&format=tar")).RequireWhole();

        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
        Assert.Equal(("None/None", breaks), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes) : default);
        Assert.Empty(store.Refused);
    }

    [Theory]
    [InlineData(Ending.Reset)]
    [InlineData(Ending.Close)]
    public async Task Row_34_A_request_on_a_dead_connection_is_sent_once_more(Ending ending)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();

        store.Upstream.KillConnections(ending);
        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");
        store.Upstream.KillConnections(ending);
        var direct = await Download.GetAsync(gateway.Client, "/s/a");

        Assert.Equal(body, bundle.RequireWhole()["s/a"]);
        Assert.Equal(body, direct.Bytes);
        Assert.Empty(store.Refused);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Row_36_A_store_that_serves_few_requests_at_a_time_serves_a_bundle(int limit)
    {
        var count = Matrix.Of(full: 200, reduced: 40);
        await using var store = new ScriptedS3(upstream: new ScriptedUpstream { Throttle = new Throttle(503, null) { MaxAtOnce = limit, Latency = TimeSpan.FromMilliseconds(10) } });
        foreach (var i in Enumerable.Range(0, count))
        {
            store.Put($"{i}", 1000, seed: i);
        }

        await using var gateway = await StoreGateway.StartAsync(store);

        var entries = (await Download.GetAsync(gateway.Client, $"/bundle?ids={string.Join(',', Enumerable.Range(0, count).Select(i => $"s/{i}"))}")).RequireWhole();

        Assert.Equal(count, entries.Count);
        Assert.Empty(store.Refused);
    }

    [Theory]
    [InlineData(400, "InvalidRequest")]
    [InlineData(403, "AccessDenied")]
    [InlineData(405, "MethodNotAllowed")]
    [InlineData(500, "InternalError")]
    [InlineData(501, "NotImplemented")]
    public async Task Row_37_If_the_store_refuses_HEAD_GET_decides(int status, string code)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Size, seed: 1);
        store.Fail("a", status, code, "HEAD");
        await using var gateway = await StoreGateway.StartAsync(store, [.. Patience.Usual]);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);

        Assert.Empty(store.Refused);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Row_42_Parts_shorter_than_requested_are_completed(bool isParallel)
    {
        await using var store = new ScriptedS3(upstream: new ScriptedUpstream { MaxPart = 300_000 });
        var body = store.Put("a", LargeSize, seed: 1);
        store.Fail("a", isParallel ? [] : [Fault.Close(60_000)]);
        await using var gateway = await StoreGateway.StartAsync(store, isParallel ? Parallel : []);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole()["s/a"]);

        Assert.Empty(store.Refused);
        RequireOnlyIfMatch(store, "a");
    }

    [Theory]
    [InlineData(400, false)]
    [InlineData(403, true)]
    [InlineData(416, false)]
    [InlineData(416, true)]
    [InlineData(501, false)]
    public async Task Row_43_If_the_store_rejects_ranges_the_object_is_read_from_its_beginning(int status, bool isParallel)
    {
        await using var store = new ScriptedS3(upstream: new ScriptedUpstream { RangeStatus = status });
        var body = store.Put("a", LargeSize, seed: 1);
        store.Fail("a", isParallel ? [] : [Fault.Close(60_000)]);
        await using var gateway = await StoreGateway.StartAsync(store, isParallel ? Parallel : []);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole()["s/a"]);

        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.Empty(store.Refused);
    }

    [Fact]
    public async Task Parallel_parts_are_signed_and_a_broken_one_is_repaired()
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", LargeSize, seed: 1);
        store.Fail("a", Fault.Reset(1000) with { Range = $"bytes={2 * Part}-{(3 * Part) - 1}" }, Fault.Answer(503) with { Range = $"bytes={(2 * Part) + 1000}-{(3 * Part) - 1}" });
        await using var gateway = await StoreGateway.StartAsync(store, Parallel);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);

        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.Empty(store.Refused);
        Assert.InRange(store.RequestsFor("a").Count(request => request.Header("Range") is not null), 6, 8);
        RequireOnlyIfMatch(store, "a");
    }

    private static async Task RequireResumedAsync(Protocol protocol, string recipe, Fault fault, (string, object)[] settings)
    {
        await using var store = new ScriptedS3();
        var before = store.Put("0", 1000, seed: 5);
        var body = store.Put("a", Size, seed: 1);
        var after = store.Put("z", 1000, seed: 6);
        store.Fail("a", fault);
        await using var gateway = await StoreGateway.StartAsync(store, [.. settings]);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/0,s/a,s/z&{recipe}");

        Assert.Equal([before, body, after], download.RequireWhole().Values);
        Assert.Equal(("None/None", 1), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes) : default);
        Assert.Empty(store.Refused);
        RequireOnlyIfMatch(store, "a");
    }

    /// <summary>Every part belongs to the version that was begun.</summary>
    private static void RequireOnlyIfMatch(ScriptedS3 store, string key)
    {
        Assert.All(store.RequestsFor(key), request => Assert.Null(request.Header("If-Range")));
        Assert.All(store.RequestsFor(key).Where(request => request.Header("Range") is not null), request => Assert.Equal(store.Upstream.Find(store.PathOf(key))!.ETag, request.Header("If-Match")));
    }
}
