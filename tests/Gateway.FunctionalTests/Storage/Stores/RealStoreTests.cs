using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Storage;
using Azure.Storage.Sas;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>The gateway in front of Ceph and Azurite, with objects that other implementations have uploaded.</summary>
public class RealStoreTests(SharedStores stores)
{
    private const string Policy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"]}]}""";

    private static readonly string[] Keys =
        [.. " +%=&~'()*!,;:@$#?[]{}^|`\"<>üé日😀".EnumerateRunes().Select(rune => $"a{rune}b/{rune}c"), "a%41b", "a%2Fb", "u\u0308", "n\u00A0b", $"{new string('k', 240)}/{new string('k', 240)}/{new string('k', 240)}/{new string('k', 200)}", "a+%20 b", "...", "日本語/ü.txt"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_key_that_boto_uploads_to_Ceph_is_read_by_GET_HEAD_Range_and_If_Match_and_in_a_bundle(bool isVirtualHost)
    {
        var rados = await stores.Rados;
        var (bucket, folder) = (isVirtualHost ? RadosGateway.VirtualHostBucket : "matrix", "matrix/");
        await rados.Client.CreateBucketAsync(bucket);
        await rados.Client.PutAsync(bucket, Keys.Select(key => (folder + key, Encoding.UTF8.GetBytes("content of " + key))));
        await using var gateway = await GatewayUnderTest.StartAsync(Configure(
            isVirtualHost ? rados.VirtualHostAddress : $"{rados.Address}{bucket}/",
            ("Kind", "s3"), ("Bucket", bucket), ("Region", RadosGateway.Region), ("AccessKey", RadosGateway.AccessKey), ("SecretKey", RadosGateway.SecretKey)));

        foreach (var key in Keys)
        {
            var (url, bytes) = ($"/s/{folder}{SignatureV4.EscapePath(key)}", Encoding.UTF8.GetBytes("content of " + key));
            var whole = await SendAsync(gateway, HttpMethod.Get, url);
            var head = await SendAsync(gateway, HttpMethod.Head, url);
            var part = await SendAsync(gateway, HttpMethod.Get, url, headers => headers.Range = new RangeHeaderValue(3, 7));
            var matching = await SendAsync(gateway, HttpMethod.Get, url, headers => headers.IfMatch.Add(whole.Response.Headers.ETag!));
            var other = await SendAsync(gateway, HttpMethod.Get, url, headers => headers.IfMatch.Add(new EntityTagHeaderValue("\"other\"")));

            Assert.Equal((key, HttpStatusCode.OK, Convert.ToHexString(bytes)), (key, whole.Status, Convert.ToHexString(whole.Bytes)));
            Assert.Equal((key, bytes.Length, whole.Response.Headers.ETag), (key, head.Response.Content.Headers.ContentLength, head.Response.Headers.ETag));
            Assert.Equal((key, HttpStatusCode.PartialContent, Convert.ToHexString(bytes[3..8])), (key, part.Status, Convert.ToHexString(part.Bytes)));
            Assert.Equal((key, HttpStatusCode.OK, HttpStatusCode.PreconditionFailed), (key, matching.Status, other.Status));
        }

        var entries = await SendAsync(gateway, HttpMethod.Post, "/bundle", content: Manifest(Keys.Select((key, i) => (object)new { id = $"s/{folder}{key}", name = NameOf(i) })));
        Assert.Equal(Keys.Select(key => "content of " + key), entries.RequireWhole().Values.Select(Encoding.UTF8.GetString));

        // Windows could not create some of these names.
        var listed = await Download.GetAsync(gateway.Client, $"/bundle?ids=s/{folder}&missing=skip");
        var portable = Keys.Count(key => !key.Any("<>:\"|?*".Contains) && !key.Split('/').Any(segment => segment[^1] is ' ' or '.'));
        Assert.Equal(portable, listed.RequireWhole().Count);
        Assert.Equal(Keys.Length - portable, int.Parse(listed.Response.Headers.GetValues("Bundle-Skipped").Single(), CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_public_bucket_is_read_and_listed_without_keys()
    {
        await using var store = await ListableStore.StartAsync(stores, "ceph");
        await store.PutAsync("x/a", "x/b c");
        await using var gateway = await GatewayUnderTest.StartAsync(Configure(store.Address, ("Kind", "s3"), ("Bucket", store.Bucket), ("Credentials", "none")));
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/")).RequireEarly(502);

        await (await stores.Rados).Client.RunAsync(BotoClient.Call("put_bucket_policy", ("Bucket", store.Bucket), ("Policy", Policy.Replace("BUCKET", store.Bucket, StringComparison.Ordinal))));

        Assert.Equal(["s/x/a", "s/x/b c"], (await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/")).RequireWhole().Keys);
        Assert.Equal(ListableStore.ContentOf("x/b c"), await gateway.Client.GetByteArrayAsync("/s/x/b%20c"));
    }

    [Fact]
    public async Task A_given_SAS_reads_and_lists_and_one_without_the_right_to_list_only_reads()
    {
        await using var store = await ListableStore.StartAsync(stores, "azure");
        await store.PutAsync("x/a", "x/ü 1");
        foreach (var (permissions, canList) in new[] { (AccountSasPermissions.Read | AccountSasPermissions.List, true), (AccountSasPermissions.Read, false) })
        {
            await using var gateway = await GatewayUnderTest.StartAsync(Configure(store.Address, ("Kind", "azure"), ("Bucket", store.Bucket), ("AllowPlainHttp", true), ("Sas", CreateSas(permissions))));

            var folder = await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/");
            if (canList)
            {
                Assert.Equal(["s/x/a", "s/x/ü 1"], folder.RequireWhole().Keys);
            }
            else
            {
                folder.RequireEarly(502);
            }

            Assert.Equal(2, (await Download.GetAsync(gateway.Client, "/bundle?id=s/x/a&id=s/x/%C3%BC%201")).RequireWhole().Count);
            Assert.DoesNotContain(gateway.Outcomes.Lines, line => line.Contains("sig=", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_MD5_of_a_blob_that_Azure_lists_is_compared()
    {
        await using var store = await ListableStore.StartAsync(stores, "azure");
        var azurite = await stores.Azurite;
        await azurite.PutAsync(store.Bucket, "x/a", "content"u8.ToArray());
        await azurite.PutAsync(store.Bucket, "y/a", "content"u8.ToArray());
        using var changed = await azurite.SendAsync(HttpMethod.Put, AzuriteServer.PathOf(store.Bucket, "y/a") + "?comp=properties", [], [("x-ms-blob-content-md5", Convert.ToBase64String(new byte[16]))]);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        await using var gateway = await store.StartGatewayAsync();

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&format=tar")).RequireWhole();
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
        var wrong = await Download.GetAsync(gateway.Client, "/bundle?ids=s/y/&format=tar");

        Assert.True(wrong.IsCut || wrong.Status == HttpStatusCode.BadGateway);
        Assert.Equal("Upstream/ChecksumDiffers", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task A_folder_of_Azure_with_encoded_blobs_has_the_ETag_of_their_ids()
    {
        await using var store = await ListableStore.StartAsync(stores, "azure");
        var azurite = await stores.Azurite;
        await azurite.PutAsync(store.Bucket, "x/a", "content"u8.ToArray(), ("x-ms-blob-content-encoding", "gzip"));
        await azurite.PutAsync(store.Bucket, "x/b", "content"u8.ToArray());
        await using var gateway = await store.StartGatewayAsync();

        var folder = await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&format=tar&receipt=true");
        var ids = await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/a,s/x/b&format=tar&receipt=true");

        Assert.Equal(ids.Bytes, folder.Bytes);
        Assert.Equal(ids.Response.Headers.ETag, folder.Response.Headers.ETag);
        Assert.Contains("\"encoding\":\"gzip\"", Encoding.UTF8.GetString(folder.RequireWhole()["MANIFEST.json"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Five_thousand_blobs_and_one_are_listed()
    {
        Matrix.RequireFull();
        await using var store = await ListableStore.StartAsync(stores, "azure");
        string[] keys = [.. Enumerable.Range(0, 5001).Select(i => string.Create(CultureInfo.InvariantCulture, $"x/{i:d4}"))];
        await store.PutAsync(keys);
        await using var gateway = await store.StartGatewayAsync(SharedStores.Patient);

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&format=tar")).RequireWhole();

        Assert.Equal(keys.Select(key => "s/" + key), entries.Keys);
    }

    private static string NameOf(int i) => string.Create(CultureInfo.InvariantCulture, $"{i:d3}");

    private static JsonContent Manifest(IEnumerable<object> entries) => JsonContent.Create(new { entries });

    private static string CreateSas(AccountSasPermissions permissions)
    {
        var now = TimeProvider.System.GetUtcNow();
        var builder = new AccountSasBuilder(permissions, now.AddHours(1), AccountSasServices.Blobs, AccountSasResourceTypes.Container | AccountSasResourceTypes.Object) { StartsOn = now.AddMinutes(-5) };
        return builder.ToSasQueryParameters(new StorageSharedKeyCredential(AzuriteServer.Account, AzuriteServer.AccountKey)).ToString();
    }

    private static JsonObject Configure(string address, params (string Key, object Value)[] store)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.List", "true");
        foreach (var (key, value) in store)
        {
            GatewayUnderTest.Set(configuration, "Stores:s:" + key, value);
        }

        return configuration;
    }

    private static async Task<Download> SendAsync(GatewayUnderTest gateway, HttpMethod method, string url, Action<HttpRequestHeaders>? change = null, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(method, url) { Content = content };
        change?.Invoke(request.Headers);
        return await Download.SendAsync(gateway.Client, request);
    }
}
