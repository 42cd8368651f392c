using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>An id that ends in a slash means what the ids of all objects under it mean, in every store.</summary>
public class FolderIdTests(SharedStores stores)
{
    /// <summary>In the order of their UTF-8 bytes; .NET's order of strings would end with the last two reversed.</summary>
    private static readonly string[] Listed = ["x/a b", "x/a=1&b+c", "x/b-1", "x/b.txt", "x/b/c", "x/b/d/e", "x/b0", "x/é", "x/日本語", "x/ｚ", "x/😀"];

    private static readonly string[] Others = ["20/a", "2026/a", "2026/b", "w", "x-y", "xy/a", "y"];

    public static TheoryData<string, string> All => Ways.Pairs(ListableStore.Kinds, Ways.Recipes);

    public static TheoryData<string> Kinds => new(ListableStore.Kinds);

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_folder_gives_the_archive_of_the_ids_in_it(string kind, string recipe)
    {
        await using var store = await StartAsync(kind);
        await using var gateway = await store.StartGatewayAsync();
        foreach (var options in new[] { "", "&receipt=true", "&missing=skip", "&missing=skip&receipt=true" })
        {
            await RequireEqualAsync(gateway, $"/bundle?{recipe}{options}", ["x/"], Listed);
        }

        await RequireEqualAsync(gateway, $"/bundle?{recipe}", ["w", "x/", "y", "2026/"], ["w", .. Listed, "y", "2026/a", "2026/b"]);
        await RequireEqualAsync(gateway, $"/bundle?{recipe}&receipt=true", [""], ListableStore.Sort([.. Listed, .. Others]));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Without_a_check_the_bytes_are_the_same(string kind, string recipe)
    {
        await using var store = await StartAsync(kind);
        await using var gateway = await store.StartGatewayAsync();

        var folder = await GetAsync(gateway, $"/bundle?{recipe}&missing=abort", ["x/"]);

        Assert.Equal((await GetAsync(gateway, $"/bundle?{recipe}&missing=fail", Listed)).Bytes, folder.Bytes);
        Assert.Equal(Listed.Length, folder.RequireWhole().Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_way_to_request_a_folder_gives_the_same_archive(string kind)
    {
        await using var store = await StartAsync(kind);
        await using var gateway = await store.StartGatewayAsync();
        var expected = await GetAsync(gateway, "/bundle?format=tar", Listed);
        var manifest = new { format = "tar", entries = new[] { new { id = "s/x/" } } };

        foreach (var download in new[]
            {
                await Download.GetAsync(gateway.Client, "/bundle?format=tar&id=s/x/"),
                await Download.GetAsync(gateway.Client, "/bundle?format=tar&ids=s/x/"),
                await SendAsync(gateway, HttpMethod.Post, "/bundle", new FormUrlEncodedContent([new("format", "tar"), new("ids", "s/x/")])),
                await SendAsync(gateway, HttpMethod.Post, "/bundle", JsonContent.Create(manifest)),
                await Download.GetAsync(gateway.Client, await LinkAsync(gateway, manifest)),
                await Download.GetAsync(gateway.Client, await LinkAsync(gateway, new { format = "tar", pin = true, manifest.entries })),
            })
        {
            RequireEqual(expected, download);
        }

        using var head = await gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/bundle?format=tar&id=s/x/"));
        Assert.Equal((expected.Bytes.Length, expected.Response.Headers.ETag), (head.Content.Headers.ContentLength, head.Headers.ETag));
        using var conditional = new HttpRequestMessage(HttpMethod.Get, "/bundle?format=tar&id=s/x/");
        conditional.Headers.IfNoneMatch.Add(head.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await gateway.Client.SendAsync(conditional)).StatusCode);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_plan_of_a_folder_has_its_entries(string kind)
    {
        await using var store = await StartAsync(kind);
        await using var gateway = await store.StartGatewayAsync();

        var plan = JsonNode.Parse(await gateway.Client.GetStringAsync("/bundle/plan?format=tar&ids=s/w,s/x/"))!;
        var byName = JsonNode.Parse(await gateway.Client.GetStringAsync(UrlOf("/bundle/plan?format=tar", ["w", .. Listed])))!;

        Assert.Equal(["s/w", .. Listed.Select(key => "s/" + key)], plan["entries"]!.AsArray().Select(entry => entry!["id"]!.GetValue<string>()));
        Assert.Equal([0, .. Listed.Select(_ => 1)], plan["entries"]!.AsArray().Select(entry => entry!["index"]!.GetValue<int>()));
        foreach (var document in new[] { plan, byName })
        {
            foreach (var entry in document["entries"]!.AsArray())
            {
                entry!.AsObject().Remove("index");
            }
        }

        Assert.Equal(byName.ToJsonString(), plan.ToJsonString());
    }

    [Theory]
    [InlineData("folder", "photos/")]
    [InlineData("scripted", "/")]
    [InlineData("ceph", "photos/2026/")]
    [InlineData("azure", "/")]
    public async Task The_name_of_a_folder_replaces_it(string kind, string name)
    {
        await using var store = await StartAsync(kind);
        await using var gateway = await store.StartGatewayAsync();

        var folder = await SendAsync(gateway, HttpMethod.Post, "/bundle", JsonContent.Create(new { receipt = true, entries = new object[] { new { id = "s/x/", name }, new { id = "s/w" } } }));
        var byName = await SendAsync(gateway, HttpMethod.Post, "/bundle", JsonContent.Create(new
        {
            receipt = true,
            entries = Listed.Select(key => (object)new { id = "s/" + key, name = name.TrimStart('/') + key["x/".Length..] }).Append(new { id = "s/w" }),
        }));

        RequireEqual(byName, folder);
        Assert.Contains(name.TrimStart('/') + "b/d/e", folder.RequireWhole().Keys);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_prefix_without_a_final_slash_is_not_a_folder(string kind)
    {
        await using var store = await StartAsync(kind);
        await using var gateway = await store.StartGatewayAsync();

        (await GetAsync(gateway, "/bundle?format=tar", ["202"])).RequireEarly(404);
        (await GetAsync(gateway, "/bundle?format=tar", ["202/"])).RequireEarly(404);

        Assert.Equal(["s/20/a"], (await GetAsync(gateway, "/bundle?format=tar", ["20/"])).RequireWhole().Keys);
    }

    [Theory]
    [InlineData("fail")]
    [InlineData("abort")]
    [InlineData("skip")]
    public async Task An_empty_folder_is_a_missing_entry(string missing)
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("w", "x/a");
        await using var gateway = await store.StartGatewayAsync();

        var alone = await GetAsync(gateway, $"/bundle?format=tar&missing={missing}", ["none/"]);
        var mixed = await GetAsync(gateway, $"/bundle?format=tar&receipt=true&missing={missing}", ["x/", "none/", "w"]);

        Assert.Equal((0, "s/none/"), EntryProblem.ReadAll(alone, 404).Select(problem => (problem.Index, problem.Id)).Single());
        if (missing != "skip")
        {
            Assert.Equal(new EntryProblem(1, "s/none/", "nothing under 's/none/'"), EntryProblem.ReadAll(mixed, 404).Single());
            return;
        }

        var entries = mixed.RequireWhole();
        Assert.Equal(["s/x/a", "s/w", "MANIFEST.json"], entries.Keys);
        Assert.Equal("1", mixed.Response.Headers.GetValues("Bundle-Skipped").Single());
        Assert.Contains(JsonNode.Parse(entries["MANIFEST.json"])!["entries"]!.AsArray(), entry => (string?)entry!["id"] == "s/none/" && (string?)entry["status"] == "missing");
    }

    [Fact]
    public async Task A_missing_object_next_to_a_folder_is_named_with_its_place_in_the_request()
    {
        await using var store = await StartAsync("scripted");
        await using var gateway = await store.StartGatewayAsync();

        var download = await GetAsync(gateway, "/bundle?format=tar", ["x/", "none"]);

        Assert.Equal(new EntryProblem(1, "s/none", "no such object"), EntryProblem.ReadAll(download, 404).Single());
    }

    [Fact]
    public async Task An_id_with_a_final_slash_and_a_name_without_one_is_the_single_key()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("x/", "x/a");
        await using var gateway = await store.StartGatewayAsync();

        var download = await SendAsync(gateway, HttpMethod.Post, "/bundle", JsonContent.Create(new { entries = new[] { new { id = "s/x/", name = "marker" } } }));

        Assert.Equal(ListableStore.ContentOf("x/"), Assert.Single(download.RequireWhole(), entry => entry.Key == "marker").Value);
        Assert.Equal(0, store.Listings);
    }

    [Theory]
    [InlineData("store")]
    [InlineData("decode")]
    public async Task Objects_that_are_stored_encoded_are_the_same_in_a_folder(string encoded)
    {
        await using var store = await ListableStore.StartScriptedAsync();
        using var compressed = new MemoryStream();
        await using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(ListableStore.ContentOf("x/a"));
        }

        store.Scripted!.Put("x/a", ObjectContent.Of(compressed.ToArray()), "\"encoded\"", ("Content-Encoding", "gzip"));
        await store.PutAsync("x/b");
        await using var gateway = await store.StartGatewayAsync(("ReverseProxy:Routes:s:Metadata:Bundle.Encoded", encoded));

        var (byName, folder) = (await GetAsync(gateway, "/bundle?format=tar", ["x/a", "x/b"]), await GetAsync(gateway, "/bundle?format=tar", ["x/"]));
        Assert.Equal(byName.Bytes, folder.Bytes);

        // S3 does not list the Content-Encoding, which is part of the ETag and of the receipt.
        if (encoded == "decode")
        {
            RequireEqual(byName, folder);
            RequireEqual(await GetAsync(gateway, "/bundle?format=zip&receipt=true", ["x/a", "x/b"]), await GetAsync(gateway, "/bundle?format=zip&receipt=true", ["x/"]));
        }
    }

    private static async Task RequireEqualAsync(GatewayUnderTest gateway, string url, string[] folders, string[] keys)
    {
        var folder = await GetAsync(gateway, url, folders);
        var byName = await GetAsync(gateway, url, keys);

        RequireEqual(byName, folder);
        Assert.Equal([.. keys.Select(key => "s/" + key)], folder.RequireWhole().Keys.Where(name => name != "MANIFEST.json"));
        Assert.All(folder.RequireWhole().Where(entry => entry.Key != "MANIFEST.json"), entry => Assert.Equal(ListableStore.ContentOf(entry.Key["s/".Length..]), entry.Value));
    }

    private static void RequireEqual(Download expected, Download actual)
    {
        expected.RequireWhole();
        Assert.Equal(expected.Status, actual.Status);
        Assert.NotNull(expected.Response.Headers.ETag);
        Assert.Equal(expected.Response.Headers.ETag, actual.Response.Headers.ETag);
        Assert.Equal(expected.Bytes, actual.Bytes);
        Assert.Equal(expected.Response.Content.Headers.LastModified, actual.Response.Content.Headers.LastModified);
        foreach (var header in new[] { "Bundle-Entries", "Bundle-Size", "Bundle-Skipped" })
        {
            Assert.Equal(expected.Response.Headers.NonValidated[header].ToString(), actual.Response.Headers.NonValidated[header].ToString());
        }
    }

    private static string UrlOf(string url, IEnumerable<string> keys) => url + string.Concat(keys.Select(key => "&id=" + Uri.EscapeDataString("s/" + key)));

    private static Task<Download> GetAsync(GatewayUnderTest gateway, string url, string[] keys) => Download.GetAsync(gateway.Client, UrlOf(url, keys));

    private static async Task<Download> SendAsync(GatewayUnderTest gateway, HttpMethod method, string url, HttpContent content)
    {
        using var request = new HttpRequestMessage(method, url) { Content = content };
        return await Download.SendAsync(gateway.Client, request);
    }

    private static async Task<string> LinkAsync(GatewayUnderTest gateway, object manifest)
    {
        using var created = await gateway.Client.PostAsJsonAsync("/bundle/links", manifest);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        return created.Headers.Location!.ToString();
    }

    private async Task<ListableStore> StartAsync(string kind)
    {
        var store = await ListableStore.StartAsync(stores, kind);
        await store.PutAsync([.. Listed, .. Others]);
        return store;
    }
}
