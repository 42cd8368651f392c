using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Yarp.ReverseProxy;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>A listing is a plan: what changes after it never joins two versions in one archive.</summary>
public class ChangedListingTests(SharedStores stores)
{
    private const int Large = 8 << 20;
    private const string Url = "/bundle?ids=s/x/&format=tar&compression=store";

    /// <summary>Only one object is opened at a time, and a connection that waits for the client is closed soon.</summary>
    private static readonly (string, object)[] OneAtATime =
        [("Bundle:Upstream:Lookahead", 1), ("Bundle:Upstream:LookaheadBytes", 0), ("Bundle:Upstream:ReleaseAfter", "00:00:01")];

    private static readonly byte[] First = new ObjectContent(Large, 1, compressible: false).ToArray();

    public static TheoryData<string> Kinds => new(ListableStore.Kinds);

    public static TheoryData<string, string> All => Ways.Pairs(ListableStore.Kinds, Ways.Recipes);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_object_that_is_replaced_before_its_turn_cuts_the_archive(string kind)
    {
        await using var store = await StartAsync(kind);
        await using var gateway = await store.StartGatewayAsync(OneAtATime);
        await using var client = await PausingClient.OpenAsync(gateway.Address, Url);
        await client.TakeAsync(1000);

        // The same length.
        await store.PutAsync([("x/b", "The Content of x/b"u8.ToArray())]);
        (await client.TakeRestAsync()).RequireCut();

        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("Upstream/ObjectChanged", 1), (outcome.Blame, outcome.EntryIndex));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_object_that_is_deleted_before_its_turn_cuts_the_archive(string kind)
    {
        await using var store = await StartAsync(kind);
        await using var gateway = await store.StartGatewayAsync(OneAtATime);
        await using var client = await PausingClient.OpenAsync(gateway.Address, Url + "&missing=skip");
        await client.TakeAsync(1000);

        await store.DeleteAsync("x/b");
        (await client.TakeRestAsync()).RequireCut();

        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("Upstream/NotFound", 1), (outcome.Blame, outcome.EntryIndex));
    }

    [Theory]
    [InlineData("scripted", false)]
    [InlineData("ceph", false)]
    [InlineData("ceph", true)]
    [InlineData("azure", false)]
    public async Task An_object_that_is_replaced_while_a_paused_client_reads_it_is_completed_only_from_its_version(string kind, bool isVersioned)
    {
        await using var store = await StartAsync(kind, isVersioned);
        await using var gateway = await store.StartGatewayAsync(OneAtATime);
        await using var client = await PausingClient.OpenAsync(gateway.Address, Url);
        await client.TakeAsync(1 << 20);
        await ReleasedAsync(gateway);

        await store.PutAsync([("x/a", new ObjectContent(Large, 2, compressible: false).ToArray())]);
        var download = await client.TakeRestAsync();

        var outcome = await gateway.RequireOneOutcomeAsync();
        if (!isVersioned)
        {
            download.RequireCut();
            Assert.Equal(("Upstream/ObjectChanged", 0), (outcome.Blame, outcome.EntryIndex));
            return;
        }

        Assert.Null(download.Cut);
        Assert.Equal("None/None", outcome.Blame);
        var whole = await Download.GetAsync(gateway.Client, "/bundle?id=s/x/b&format=tar&compression=store");
        Assert.True(download.Bytes.AsSpan().EndsWith(whole.Bytes), "the archive ends with the second entry");
        Assert.True(download.Bytes.AsSpan().IndexOf(First.AsSpan(^100_000)) > 0, "the first entry ends with the old bytes");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_download_continues_at_another_gateway_only_if_the_listing_is_equal(string kind, string recipe)
    {
        await using var store = await ListableStore.StartAsync(stores, kind);
        await store.PutAsync([("x/a", First[..300_000]), ("x/b", First[300_000..400_000])]);
        var url = $"/bundle?ids=s/x/&{recipe}";
        await using var first = await store.StartGatewayAsync();
        var whole = await Download.GetAsync(first.Client, url);
        var etag = whole.Response.Headers.ETag!;
        await using var second = await store.StartGatewayAsync();

        foreach (var from in new[] { 1, 250_000, whole.Bytes.Length - 1 })
        {
            var rest = await ResumeAsync(second, url, from, request => request.Headers.IfRange = new RangeConditionHeaderValue(etag));
            Assert.Equal((HttpStatusCode.PartialContent, etag), (rest.Status, rest.Response.Headers.ETag));
            Assert.Equal(whole.Bytes[from..], rest.Bytes);
        }

        await store.PutAsync("x/c");
        var changed = await ResumeAsync(second, url, 250_000, request => request.Headers.IfRange = new RangeConditionHeaderValue(etag));
        var refused = await ResumeAsync(second, url, 250_000, request => request.Headers.IfMatch.Add(etag));

        Assert.Equal(3, changed.RequireWhole().Count);
        Assert.NotEqual(etag, changed.Response.Headers.ETag);
        refused.RequireEarly(412);

        await store.DeleteAsync("x/c");
        Assert.Equal(HttpStatusCode.PartialContent, (await ResumeAsync(first, url, 250_000, request => request.Headers.IfMatch.Add(etag))).Status);
    }

    [Fact]
    public async Task A_pinned_link_to_a_folder_refuses_another_listing()
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("x/a");
        await using var gateway = await store.StartGatewayAsync();
        var (pinned, free) = (await LinkAsync(pin: true), await LinkAsync(pin: false));
        Assert.Single((await Download.GetAsync(gateway.Client, pinned)).RequireWhole());

        await store.PutAsync("x/b");

        (await Download.GetAsync(gateway.Client, pinned)).RequireEarly(412);
        Assert.Equal(2, (await Download.GetAsync(gateway.Client, free)).RequireWhole().Count);

        async Task<string> LinkAsync(bool pin)
        {
            using var response = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(gateway.Client, "/bundle/links", new { pin, entries = new[] { new { id = "s/x/" } } });
            return response.Headers.Location!.ToString();
        }
    }

    [Fact]
    public async Task S3rver_ignores_If_Match_and_its_part_of_another_version_is_detected()
    {
        await using var s3rver = await S3rverServer.StartAsync();
        await s3rver.Client.CreateBucketAsync("bucket");
        await s3rver.Client.PutAsync("bucket", "x/a", First);
        var configuration = GatewayUnderTest.Configuration(("s", [s3rver.Address + "bucket/"]));
        foreach (var (key, value) in OneAtATime.Concat([
            ("ReverseProxy:Routes:s:Metadata:Bundle.List", "true"), ("Stores:s:Kind", "s3"), ("Stores:s:Bucket", "bucket"), ("Stores:s:Region", "us-east-1"),
            ("Stores:s:AccessKey", S3rverServer.AccessKey), ("Stores:s:SecretKey", S3rverServer.SecretKey)]))
        {
            GatewayUnderTest.Set(configuration, key, value);
        }

        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        await using var client = await PausingClient.OpenAsync(gateway.Address, Url);
        await client.TakeAsync(1 << 20);
        await ReleasedAsync(gateway);

        await s3rver.Client.PutAsync("bucket", "x/a", new ObjectContent(Large, 2, compressible: false).ToArray());
        (await client.TakeRestAsync()).RequireCut();

        Assert.Equal("Upstream/ObjectChanged", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    private static Task ReleasedAsync(GatewayUnderTest gateway)
    {
        var clusters = gateway.App.Services.GetRequiredService<IProxyStateLookup>();
        return Eventually.TrueAsync(() => clusters.GetClusters().SelectMany(cluster => cluster.Destinations.Values).All(destination => destination.ConcurrentRequestCount == 0), "the connection is closed");
    }

    private static async Task<Download> ResumeAsync(GatewayUnderTest gateway, string url, long from, Action<HttpRequestMessage> condition)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(from, null);
        condition(request);
        return await Download.SendAsync(gateway.Client, request);
    }

    private async Task<ListableStore> StartAsync(string kind, bool isVersioned = false)
    {
        var store = await ListableStore.StartAsync(stores, kind, isVersioned);
        await store.PutAsync([("x/a", First), ("x/b", ListableStore.ContentOf("x/b"))]);
        return store;
    }
}
