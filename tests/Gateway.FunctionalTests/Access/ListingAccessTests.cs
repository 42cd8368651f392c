using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Storage.Stores;
using Testing;

namespace Gateway.FunctionalTests.Access;

/// <summary>A client that knows one key must not learn all: who may list, and what.</summary>
public class ListingAccessTests
{
    private const string Reader = "reader's key", Writer = "writer's key";

    public static TheoryData<string> Doors => new("/bundle?ids=s/x/", "/bundle?id=s/", "/bundle?ids=s/x/&missing=abort", "/bundle/plan?ids=s/x/", "/bundle/list?id=s/x/", "HEAD", "POST", "form", "links");

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_source_that_does_not_allow_listing_gets_no_request(string door)
    {
        await using var store = await StartAsync();
        await using var gateway = await store.StartGatewayAsync(("ReverseProxy:Routes:s:Metadata:Bundle.List", "false"));

        var download = await SendAsync(gateway, door, key: null);

        Assert.Equal(HttpStatusCode.BadRequest, download.Status);
        Assert.True(door == "HEAD" || EntryProblem.ReadAll(download, 400).Single() is { Index: 0, Reason: "source 's' does not allow listing" });
        Assert.Equal((0, 0), (store.Listings, store.Scripted!.Gets));
        Assert.Empty(JsonNode.Parse(await gateway.Client.GetStringAsync("/bundle/list"))!["folders"]!.AsArray());
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task The_policy_of_the_route_is_evaluated_before_anything_is_listed(string door)
    {
        await using var store = await StartAsync();
        var configuration = Secure(store.Configure(("ReverseProxy:Routes:s:AuthorizationPolicy", "writers")));
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(gateway, door, key: null)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(gateway, door, Reader)).Status);
        Assert.Equal((0, 0), (store.Listings, store.Scripted!.Gets));

        Assert.Equal(door == "links" ? HttpStatusCode.Created : HttpStatusCode.OK, (await SendAsync(gateway, door, Writer)).Status);
        Assert.Equal(door == "links" ? 0 : 1, store.Listings);
    }

    [Fact]
    public async Task A_source_for_bundles_only_can_be_listed()
    {
        await using var store = await StartAsync();
        await using var gateway = await store.StartGatewayAsync(("ReverseProxy:Routes:s:Metadata:Bundle.Internal", "true"));

        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/s/x/a")).StatusCode);
        Assert.Equal(2, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/")).RequireWhole().Count);
        Assert.Contains("s/x/a", await gateway.Client.GetStringAsync("/bundle/list?id=s/x/"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/s/private/{**key}")]
    [InlineData("/s/{folder:regex(^private$)}/{**key}")]
    public async Task Keys_of_a_more_specific_route_are_not_listed(string path)
    {
        await using var store = await StartAsync();
        await store.PutAsync("private/secret", "private/deep/secret", "PRIVATE/secret", "public/a");
        var configuration = Secure(store.Configure());
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:ClusterId", "s");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:Match:Path", path);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:Order", -1);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:rival:AuthorizationPolicy", "writers");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var archive = await Download.GetAsync(gateway.Client, "/bundle?ids=s/&receipt=true&missing=skip");
        var list = await gateway.Client.GetStringAsync("/bundle/list?id=s/");
        var plan = await gateway.Client.GetStringAsync("/bundle/plan?ids=s/");

        var entries = archive.RequireWhole();
        Assert.Equal(["s/public/a", "s/x/a", "s/x/b", "MANIFEST.json"], entries.Keys);
        Assert.Equal("0", archive.Response.Headers.GetValues("Bundle-Skipped").Single());
        Assert.All([list, plan, Encoding.UTF8.GetString(entries["MANIFEST.json"])], text => Assert.DoesNotContain("private", text, StringComparison.OrdinalIgnoreCase));
        foreach (var url in new[] { "/bundle?ids=s/private/", "/bundle/list?id=s/private/", "/bundle/plan?ids=s/x/,s/private/deep/" })
        {
            Assert.Contains("another route", Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, url), 400)).Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_single_object_of_a_more_specific_route_is_not_listed()
    {
        await using var store = await StartAsync();
        await store.PutAsync("y/only");
        var configuration = Secure(store.Configure());
        foreach (var (name, path) in new[] { ("one", "/s/x/b"), ("two", "/s/y/only") })
        {
            GatewayUnderTest.Set(configuration, $"ReverseProxy:Routes:{name}:ClusterId", "s");
            GatewayUnderTest.Set(configuration, $"ReverseProxy:Routes:{name}:Match:Path", path);
            GatewayUnderTest.Set(configuration, $"ReverseProxy:Routes:{name}:AuthorizationPolicy", "writers");
        }

        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var list = JsonNode.Parse(await gateway.Client.GetStringAsync("/bundle/list?id=s/x/"))!;

        Assert.Equal(["s/x/a"], list["objects"]!.AsArray().Select(listed => (string)listed!["id"]!));
        Assert.Equal(["s/x/a"], (await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/")).RequireWhole().Keys);
        Assert.Equal("nothing under 's/y/'", Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, "/bundle?ids=s/y/"), 404)).Reason);
    }

    [Fact]
    public async Task Without_an_id_a_client_sees_the_sources_that_it_may_list()
    {
        await using var store = await StartAsync();
        var configuration = Secure(store.Configure());
        foreach (var (name, canList, policy) in new (string, bool, string?)[] { ("closed", false, null), ("readers", true, "default"), ("writers", true, "writers"), ("anonymous", true, "anonymous") })
        {
            GatewayUnderTest.Set(configuration, $"ReverseProxy:Routes:{name}:ClusterId", "s");
            GatewayUnderTest.Set(configuration, $"ReverseProxy:Routes:{name}:Match:Path", $"/{name}/{{**key}}");
            GatewayUnderTest.Set(configuration, $"ReverseProxy:Routes:{name}:Metadata:Bundle.Source", name);
            GatewayUnderTest.Set(configuration, $"ReverseProxy:Routes:{name}:Metadata:Bundle.List", canList ? "true" : "false");
            if (policy is not null)
            {
                GatewayUnderTest.Set(configuration, $"ReverseProxy:Routes:{name}:AuthorizationPolicy", policy);
            }
        }

        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Equal(["anonymous/", "s/"], await SourcesAsync(null));
        Assert.Equal(["anonymous/", "readers/", "s/"], await SourcesAsync(Reader));
        Assert.Equal(["anonymous/", "readers/", "s/", "writers/"], await SourcesAsync(Writer));
        Assert.Equal(0, store.Listings);

        async Task<string[]> SourcesAsync(string? key)
        {
            var list = JsonNode.Parse((await SendAsync(gateway, "/bundle/list", key)).Bytes)!;
            Assert.Equal(("", true), ((string?)list["id"], list["objects"]!.AsArray().Count == 0));
            return [.. list["folders"]!.AsArray().Select(folder => (string)folder!["id"]!)];
        }
    }

    private static JsonObject Secure(JsonObject configuration)
    {
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:reader:Sha256", HashOf(Reader));
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:writer:Sha256", HashOf(Writer));
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:writer:Roles", new[] { "writer" });
        GatewayUnderTest.Set(configuration, "Authorization:Policies:writers:Roles", new[] { "writer" });
        return configuration;

        static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
    }

    private static async Task<Download> SendAsync(GatewayUnderTest gateway, string door, string? key)
    {
        var manifest = new { entries = new[] { new { id = "s/x/", name = "photos/" } } };
        using var request = door switch
        {
            "HEAD" => new HttpRequestMessage(HttpMethod.Head, "/bundle?ids=s/x/"),
            "POST" => new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = JsonContent.Create(manifest) },
            "form" => new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = new FormUrlEncodedContent([new("ids", "s/x/")]) },
            "links" => new HttpRequestMessage(HttpMethod.Post, "/bundle/links") { Content = JsonContent.Create(manifest) },
            _ => new HttpRequestMessage(HttpMethod.Get, door),
        };
        if (key is not null)
        {
            request.Headers.Add("X-Api-Key", key);
        }

        return await Download.SendAsync(gateway.Client, request);
    }

    private static async Task<ListableStore> StartAsync()
    {
        var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("x/a", "x/b");
        return store;
    }
}
