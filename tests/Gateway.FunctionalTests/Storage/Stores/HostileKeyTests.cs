using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>A store may contain keys that no archive can. Each is an error that names it, or is omitted and reported.</summary>
public class HostileKeyTests
{
    private const string Good = "x/good";

    public static TheoryData<string[], string, string> Keys => new()
    {
        { ["x/../w"], "s/x/../w", "'..' segment" },
        { ["x/./w"], "s/x/./w", "'.' or" },
        { ["x/..w/..", Good], "s/x/..w/..", "'..' segment" },
        { ["x/%2e%2e/w"], "s/x/%2e%2e/w", "after decoding" },
        { ["x/a\u0001b"], "s/x/a\\u{0001}b", "U+0001" },
        { ["x/a\nb"], "s/x/a\\u{000A}b", "U+000A" },
        { ["x/a\u202Eb"], "s/x/a\\u{202E}b", "U+202E" },
        { ["x/a\u200Bb"], "s/x/a\\u{200B}b", "U+200B" },
        { ["x/a//b"], "s/x/a//b", "empty" },
        { ["x//b"], "s/x//b", "empty" },
        { ["x/a/"], "s/x/a/", "empty" },
        { ["x/"], "s/x/", "empty" },
        { ["x/a\\b"], "s/x/a\\b", "backslash" },
        { ["x/con.txt"], "s/x/con.txt", "device name" },
        { ["x/sub/LPT1"], "s/x/sub/LPT1", "device name" },
        { ["x/a."], "s/x/a.", "dot or a space" },
        { ["x/a:b"], "s/x/a:b", "Windows" },
        { ["x/" + new string('k', 256)], $"s/x/{new string('k', 256)}"[..200] + "…", "255 bytes" },
        { ["x/A", "x/a"], "s/x/a", "case or Unicode form: 's/x/A'" },
        { ["x/u\u0308", "x/ü"], "s/x/ü", "case or Unicode form" },
        { ["x/straße", "x/STRASSE"], "s/x/straße", "case or Unicode form" },
        { ["x/f", "x/f/g"], "s/x/f/g", "folder of the other: 's/x/f'" },
        { ["x/f/g", "x/F"], "s/x/f/g", "folder of the other: 's/x/F'" },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_key_that_no_archive_can_hold_is_an_error_or_is_omitted(string[] keys, string id, string reason)
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync([Good, "w", .. keys]);
        await using var gateway = await store.StartGatewayAsync();

        foreach (var missing in new[] { "fail", "abort" })
        {
            var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, $"/bundle?ids=s/w,s/x/&missing={missing}"), 400));
            Assert.Equal((1, id), (problem.Index, problem.Id));
            Assert.Contains(reason, problem.Reason, StringComparison.Ordinal);
            Assert.False(OutcomeLog.IsRaw(problem.Id + problem.Reason));
        }

        Assert.Equal(0, store.Scripted!.Gets);
        var archive = await Download.GetAsync(gateway.Client, "/bundle?ids=s/w,s/x/&missing=skip&receipt=true");
        var entries = archive.RequireWhole();
        Assert.Equal("1", archive.Response.Headers.GetValues("Bundle-Skipped").Single());
        Assert.Contains("s/" + Good, entries.Keys);
        Assert.Equal(keys.Except([Good]).Count(), entries.Count - 2);
        var omitted = Assert.Single(JsonNode.Parse(entries["MANIFEST.json"])!["entries"]!.AsArray(), entry => (string?)entry!["status"] == "missing");
        Assert.StartsWith(id.TrimEnd('…'), (string?)omitted!["id"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_bad_key_is_named_at_once()
    {
        string[] bad = ["x/../w", "x/a//b", "x/nul", "x/B", "y/../w"];
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync([Good, "x/b", "y/a", .. bad]);
        await using var gateway = await store.StartGatewayAsync();

        var problems = EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, "/bundle?ids=s/y/,s/x/"), 400);

        Assert.Equal([(1, "s/x/../w"), (1, "s/x/a//b"), (1, "s/x/b"), (1, "s/x/nul"), (0, "s/y/../w")], problems.Select(problem => (problem.Index, problem.Id)).OrderBy(problem => problem.Id, StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_id_keeps_its_name_and_a_listed_object_with_the_same_name_is_at_fault()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("x/a", "x/b", "x/MANIFEST.json");
        await using var gateway = await store.StartGatewayAsync();
        object[] entries = [new { id = "s/x/", name = "/" }, new { id = "s/x/b", name = "A" }];

        var problems = EntryProblem.ReadAll(await PostAsync(gateway, new { receipt = true, entries }), 400);
        var archive = await PostAsync(gateway, new { receipt = true, missing = "skip", entries });

        Assert.Equal([(0, "s/x/MANIFEST.json"), (0, "s/x/a")], problems.Select(problem => (problem.Index, problem.Id)).OrderBy(problem => problem.Id, StringComparer.Ordinal));
        Assert.Equal(["b", "A", "MANIFEST.json"], archive.RequireWhole().Keys);
        Assert.Equal("2", archive.Response.Headers.GetValues("Bundle-Skipped").Single());
    }

    [Fact]
    public async Task Two_ids_with_the_same_name_are_an_error_also_next_to_a_folder()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("x/a", "w", "W");
        await using var gateway = await store.StartGatewayAsync();

        var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/,s/w,s/W&missing=skip"), 400));

        Assert.Equal((1, "s/w"), (problem.Index, problem.Id));
    }

    [Fact]
    public async Task Markers_of_folders_are_not_objects()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync([("x/", []), ("x/sub/", []), ("x/sub/a", [1])]);
        await using var gateway = await store.StartGatewayAsync();

        var archive = await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&missing=skip");

        Assert.Equal(["s/x/sub/a"], archive.RequireWhole().Keys);
        Assert.Equal("0", archive.Response.Headers.GetValues("Bundle-Skipped").Single());
    }

    [Theory]
    [InlineData("GLACIER", "fail")]
    [InlineData("DEEP_ARCHIVE", "skip")]
    [InlineData("GLACIER", "abort")]
    public async Task An_archived_object_is_named_before_any_byte(string storageClass, string missing)
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("w", "x/a");
        store.Scripted!.Put("x/cold", 10, seed: 1, ("x-amz-storage-class", storageClass));
        store.Scripted.Put("x/warm", 10, seed: 2, ("x-amz-storage-class", "GLACIER_IR"));
        await using var gateway = await store.StartGatewayAsync();

        var problems = EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, $"/bundle?ids=s/w,s/x/&missing={missing}"), 409);

        Assert.Equal([new EntryProblem(1, "s/x/cold", $"The object is archived ({storageClass}) and must be restored first.")], problems);
        Assert.Equal(0, store.Scripted.Gets);
    }

    private static async Task<Download> PostAsync(GatewayUnderTest gateway, object manifest)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = JsonContent.Create(manifest) };
        return await Download.SendAsync(gateway.Client, request);
    }
}
