using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>A store that keeps versions serves the one that was begun, after the object was replaced.</summary>
public class StoreVersionTests
{
    private const int Size = 400_000;
    private const int Part = 1 << 20;

    private static readonly ObjectContent Before = new(Size, 1), After = new(Size, 2);

    public static TheoryData<Protocol, string, string?> Versions => Ways.With("v1.a+b/c=", null, "null");

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task An_object_that_is_replaced_while_its_body_breaks_is_finished_from_its_version(Protocol protocol, string recipe, string? version)
    {
        await using var store = new ScriptedS3();
        Put(store, "a", Before, "\"one\"", version);
        store.Fail("a", Fault.Close(100_000), new Fault { Swap = Replacement(version) });
        await using var gateway = await StoreGateway.StartAsync(store, [.. Patience.Usual]);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&{recipe}");

        if (version is null or "null")
        {
            download.RequireCut();
            Assert.Equal("Upstream/ObjectChanged", (await gateway.RequireOneOutcomeAsync()).Blame);
        }
        else
        {
            Assert.Equal(Before.ToArray(), download.RequireWhole()["s/a"]);
            Assert.EndsWith($"?versionId={Uri.EscapeDataString(version)}", store.Upstream.Requests.Last().Path, StringComparison.Ordinal);
        }

        Assert.Equal(version is null or "null" ? 0 : 1, store.Upstream.Requests.Count(request => request.Path.Contains("versionId", StringComparison.Ordinal)));
        Assert.Empty(store.Refused);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task An_object_that_is_replaced_after_the_plan_is_read_in_the_planned_version(Protocol protocol, string recipe, string? version)
    {
        await using var store = new ScriptedS3();
        var first = store.Put("0", 16 << 20, seed: 5);
        Put(store, "a", Before, "\"one\"", version);
        store.Fail("a", new Fault { Swap = Replacement(version) });
        await using var gateway = await StoreGateway.StartAsync(store, [.. Patience.Usual]);

        var download = await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/0,s/a&{recipe}");

        if (version is null or "null")
        {
            // By then the first object is on its way.
            Assert.True(download.IsCut || (int)download.Status == 502 || download.RequireWhole()["s/a"].SequenceEqual(After.ToArray()));
        }
        else
        {
            Assert.Equal([first, Before.ToArray()], download.RequireWhole().Values);
        }

        Assert.Empty(store.Refused);
    }

    [Fact]
    public async Task Parallel_parts_of_a_replaced_object_are_read_in_its_version()
    {
        var (before, after) = (new ObjectContent(5 * Part, 1), new ObjectContent(5 * Part, 2));
        await using var store = new ScriptedS3();
        Put(store, "a", before, "\"one\"", "v1");
        store.Fail("a", new Fault { Range = $"bytes={3 * Part}-{(4 * Part) - 1}", Swap = new ScriptedObject(after, "\"two\"") });
        await using var gateway = await StoreGateway.StartAsync(store, ("ReverseProxy:Clusters:s:Metadata:Bundle.ParallelRanges", "2"), ("Upstream:RangeBytes", Part));

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        Assert.Equal(before.ToArray(), download.RequireWhole()["s/a"]);
        Assert.Empty(store.Refused);
    }

    [Fact]
    public async Task A_version_that_was_deleted_too_cuts_the_archive()
    {
        await using var store = new ScriptedS3();
        Put(store, "a", Before, "\"one\"", "v1");
        store.Fail("a", Fault.Close(100_000), new Fault { Swap = Replacement("v1") });
        store.Upstream.Delete($"{store.PathOf("a")}?versionId=v1");
        await using var gateway = await StoreGateway.StartAsync(store, [.. Patience.Usual]);

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        download.RequireCut();
        Assert.StartsWith("Upstream/", (await gateway.RequireOneOutcomeAsync()).Blame, StringComparison.Ordinal);
        Assert.Empty(store.Refused);
    }

    private static void Put(ScriptedS3 store, string key, ObjectContent content, string etag, string? version) =>
        store.Put(key, content, etag, version is null ? [] : [("x-amz-version-id", version)]);

    private static ScriptedObject Replacement(string? version) => new(After, "\"two\"")
    {
        Headers = version is null ? new Dictionary<string, string>() : new() { ["x-amz-version-id"] = version == "null" ? "null" : "v2" },
    };
}
