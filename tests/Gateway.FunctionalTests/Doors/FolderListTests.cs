using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Storage.Stores;
using Testing;

namespace Gateway.FunctionalTests.Doors;

/// <summary><c>/bundle/list</c>: one level of a folder, a page at a time, from every store.</summary>
public class FolderListTests(SharedStores stores)
{
    public static TheoryData<string> Kinds => new(ListableStore.Kinds);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_folder_has_the_objects_and_folders_of_one_level_as_a_plan_describes_them(string kind)
    {
        await using var store = await ListableStore.StartAsync(stores, kind);
        await store.PutAsync("w", "x/a b", "x/b/c", "x/b/d/e", "x/b.txt", "x/é", "x/日/本", "x/😀", "xy/a");
        await using var gateway = await store.StartGatewayAsync();

        var list = await ListAsync(gateway, "s/x/");
        var plan = JsonNode.Parse(await gateway.Client.GetStringAsync("/bundle/plan?id=s/x/a%20b&id=s/x/b.txt&id=s/x/%C3%A9&id=s/x/%F0%9F%98%80"))!["entries"]!.AsArray();

        Assert.Equal("s/x/", (string?)list["id"]);
        Assert.Equal([("s/x/b/", "b"), ("s/x/日/", "日")], list["folders"]!.AsArray().Select(folder => ((string)folder!["id"]!, (string)folder["name"]!)));
        Assert.Equal(["a b", "b.txt", "é", "😀"], list["objects"]!.AsArray().Select(listed => (string)listed!["name"]!));
        Assert.Equal(plan.Select(Describe), list["objects"]!.AsArray().Select(Describe));
        Assert.Null((string?)list["next"]);
        Assert.False(list.ContainsKey("omitted"));
        Assert.Equal(["w"], (await ListAsync(gateway, "s/"))["objects"]!.AsArray().Select(listed => (string)listed!["name"]!));

        static string Describe(JsonNode? node) => $"{node!["id"]} {node["size"]} {node["etag"]} {node["modified"]}";
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_pages_of_a_folder_contain_every_key_exactly_once(string kind)
    {
        var count = Matrix.Of(full: 2500, reduced: 1100);
        await using var store = await ListableStore.StartAsync(stores, kind);
        string[] keys = [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{(i % 5 == 0 ? $"f{i}/a" : $"o{i}")}"))];
        await store.PutAsync([.. keys.Select(key => "x/" + key), "xy", "y/z"]);
        await using var gateway = await store.StartGatewayAsync(SharedStores.Patient);

        var (names, pages, after) = (new List<string>(), 0, (string?)null);
        do
        {
            var list = await ListAsync(gateway, "s/x/", after);
            names.AddRange(list["objects"]!.AsArray().Select(listed => (string)listed!["name"]!));
            names.AddRange(list["folders"]!.AsArray().Select(folder => (string)folder!["name"]! + "/a"));
            after = (string?)list["next"];
            pages++;
        }
        while (after is not null);

        Assert.Equal(keys.Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
        Assert.Equal((count + 999) / 1000, pages);
    }

    [Fact]
    public async Task Keys_that_no_archive_can_hold_are_counted()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("x/good", "x/a\u0001", "x/a\u202Eb", "x/b\\c", "x//d", "x/../e", "x/", "x/ü/", "x/sub/f");
        await store.PutAsync([("x/empty/", [])]);
        await using var gateway = await store.StartGatewayAsync();

        var list = await ListAsync(gateway, "s/x/");

        Assert.Equal(["good"], list["objects"]!.AsArray().Select(listed => (string)listed!["name"]!));
        Assert.Equal(["empty", "sub", "ü"], list["folders"]!.AsArray().Select(folder => (string)folder!["name"]!));

        // The folders with an empty name and with two dots, and the marker with bytes, too.
        Assert.Equal(6, (int)list["omitted"]!);
    }

    [Fact]
    public async Task Odd_keys_that_boto_has_uploaded_to_Ceph_are_listed_as_they_are()
    {
        string[] odd = [.. " +%=&~'()*!,;:@$#?[]{}^|`\"<>üé日😀".EnumerateRunes().Select(rune => $"a{rune}b"), "a%41b", "a%2Fb", "u\u0308", "a\u00A0b", new string('k', 255), "a+%20 b"];
        await using var store = await ListableStore.StartAsync(stores, "ceph");
        await store.PutAsync([.. odd.Select(key => "x/" + key), "x/a\\b", "x/c\u0001"]);
        await using var gateway = await store.StartGatewayAsync();

        var list = await ListAsync(gateway, "s/x/");

        Assert.Equal(ListableStore.Sort(odd), list["objects"]!.AsArray().Select(listed => (string)listed!["name"]!));
        Assert.Equal(2, (int)list["omitted"]!);
    }

    [Theory]
    [InlineData("?id=s/x", "end in a slash")]
    [InlineData("?id=", "end in a slash")]
    [InlineData("?id=/", "the id")]
    [InlineData("?id=none/", "names no source")]
    [InlineData("?id=s/../", "'..' segment")]
    [InlineData("?id=s//", "empty")]
    [InlineData("?id=s/x/%252e%252e/", "after decoding")]
    [InlineData("?id=s/x/&id=s/y/", "id: given more than once")]
    [InlineData("?id=s/x/&after=a&after=b", "after: given more than once")]
    [InlineData("?after=a", "after: needs the id")]
    [InlineData("?id=s/x/&after=", "after: is not the 'next'")]
    [InlineData("?id=s/x/&format=zip", "no parameter 'format'")]
    [InlineData("?ids=s/x/", "no parameter 'ids'")]
    [InlineData("?id=s/%FF/", "is not UTF-8")]
    [InlineData("?id=s/x/&after=%FF", "is not UTF-8")]
    [InlineData("?id=s/x/&after=LONG", "after: is not the 'next'")]
    [InlineData("?id=s/x/&after=garbage", "after: is not the 'next'")]
    public async Task An_invalid_request_is_rejected(string query, string expected)
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("x/a");
        await using var gateway = await store.StartGatewayAsync();

        var download = await Download.GetAsync(gateway.Client, "/bundle/list" + query.Replace("LONG", new string('a', 4097), StringComparison.Ordinal));

        var reasons = EntryProblem.ReadAll(download, 400).Select(problem => problem.Reason);
        Assert.Contains(expected, string.Join(' ', reasons.Prepend((string)JsonNode.Parse(download.Bytes)!["title"]!)), StringComparison.Ordinal);
        Assert.Equal(0, store.Listings);
        Assert.Equal("Client/InvalidRequest", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("../")]
    [InlineData("/etc")]
    [InlineData("x/a")]
    [InlineData("&prefix=y/&list-type=2")]
    [InlineData("\u0001")]
    [InlineData("😀")]
    [InlineData("eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4")]
    public async Task A_token_that_the_client_invents_does_not_reach_the_store(string after)
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await using var gateway = await store.StartGatewayAsync();

        var download = await Download.GetAsync(gateway.Client, $"/bundle/list?id=s/x/&after={Uri.EscapeDataString(after)}");

        EntryProblem.ReadAll(download, 400);
        Assert.Equal(0, store.Listings);
    }

    // Azurite takes minutes for thousands of blobs on a busy machine; the pages above cover its tokens.
    [Theory]
    [InlineData("folder")]
    [InlineData("scripted")]
    [InlineData("ceph")]
    public async Task A_token_shows_nothing_of_the_store_and_is_valid_for_its_folder_only(string kind)
    {
        await using var store = await ListableStore.StartAsync(stores, kind);
        await store.PutAsync(["y/object", .. Enumerable.Range(0, 1001).Select(i => string.Create(CultureInfo.InvariantCulture, $"x/object{i:0000}"))]);
        await using var gateway = await store.StartGatewayAsync();

        var next = (string?)(await ListAsync(gateway, "s/x/"))["next"];

        Assert.Equal(next, (string?)(await ListAsync(gateway, "s/x/"))["next"]);
        Assert.DoesNotContain("object", Encoding.Latin1.GetString(Base64Url.DecodeFromChars(next)), StringComparison.Ordinal);
        Assert.Single((await ListAsync(gateway, "s/x/", next))["objects"]!.AsArray());
        foreach (var id in new[] { "s/y/", "s/" })
        {
            EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, $"/bundle/list?id={id}&after={next}"), 400);
        }
    }

    [Fact]
    public async Task A_page_continues_at_another_replica_if_it_has_the_same_keys()
    {
        var (one, two) = (Convert.ToBase64String(new byte[32]), Convert.ToBase64String([.. Enumerable.Repeat((byte)1, 32)]));
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync([.. Enumerable.Range(0, 1001).Select(i => string.Create(CultureInfo.InvariantCulture, $"x/{i:0000}"))]);
        await using var first = await store.StartGatewayAsync(("Bundle:Links:Keys", new[] { one }));
        await using var rotated = await store.StartGatewayAsync(("Bundle:Links:Keys", new[] { two, one }));
        await using var other = await store.StartGatewayAsync(("Bundle:Links:Keys", new[] { two }));

        var next = (string?)(await ListAsync(first, "s/x/"))["next"];

        Assert.Single((await ListAsync(rotated, "s/x/", next))["objects"]!.AsArray());
        EntryProblem.ReadAll(await Download.GetAsync(other.Client, $"/bundle/list?id=s/x/&after={next}"), 400);
    }

    [Fact]
    public async Task A_token_that_the_store_no_longer_accepts_is_an_error_of_the_request()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync([.. Enumerable.Range(0, 1001).Select(i => string.Create(CultureInfo.InvariantCulture, $"x/{i:0000}"))]);
        await using var gateway = await store.StartGatewayAsync();
        var next = (string?)(await ListAsync(gateway, "s/x/"))["next"];
        store.Scripted!.Listing = _ => ScriptedResponse.Xml(400, "<Error><Code>InvalidArgument</Code></Error>");

        var download = await Download.GetAsync(gateway.Client, $"/bundle/list?id=s/x/&after={next}");

        EntryProblem.ReadAll(download, 400);
        Assert.Contains("is not the 'next' of a page", (string)JsonNode.Parse(download.Bytes)!["title"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_GET_is_allowed()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await using var gateway = await store.StartGatewayAsync();

        foreach (var method in new[] { HttpMethod.Head, HttpMethod.Post, HttpMethod.Put })
        {
            using var request = new HttpRequestMessage(method, "/bundle/list?id=s/");
            using var response = await gateway.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_folder_that_does_not_exist_is_404_and_an_empty_source_is_empty(string kind)
    {
        await using var store = await ListableStore.StartAsync(stores, kind);
        await using var gateway = await store.StartGatewayAsync();

        var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, "/bundle/list?id=s/none/"), 404));
        var list = await ListAsync(gateway, "s/");

        Assert.Equal(new EntryProblem(0, "s/none/", "nothing under 's/none/'"), problem);
        Assert.Empty(list["objects"]!.AsArray());
        Assert.Empty(list["folders"]!.AsArray());
    }

    [Fact]
    public async Task A_store_that_fails_is_not_a_fault_of_the_client()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await using var gateway = await store.StartGatewayAsync();
        store.Scripted!.Listing = _ => ScriptedResponse.Xml(200, "hello");

        var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, "/bundle/list?id=s/x/"), 502));

        Assert.Equal((0, "s/x/"), (problem.Index, problem.Id));
        Assert.Equal("Upstream/InvalidListing", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    private static async Task<JsonObject> ListAsync(GatewayUnderTest gateway, string id, string? after = null)
    {
        using var response = await gateway.Client.GetAsync($"/bundle/list?id={Uri.EscapeDataString(id)}{(after is null ? "" : "&after=" + Uri.EscapeDataString(after))}");
        Assert.Equal((HttpStatusCode.OK, "private, no-store"), (response.StatusCode, response.Headers.NonValidated["Cache-Control"].ToString()));
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }
}
