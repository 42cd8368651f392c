using System.Net;
using System.Text;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>Ceph, as the tests of S3 start it, verifies what they rely on.</summary>
public sealed class RadosGatewayTests(SharedStores stores)
{
    private static readonly SignatureV4 Signer = new(RadosGateway.AccessKey, RadosGateway.SecretKey, RadosGateway.Region);

    [Fact]
    public async Task Ceph_verifies_signatures_and_clocks()
    {
        var rados = await stores.Rados;
        await rados.Client.CreateBucketAsync("signatures");
        await rados.Client.PutAsync("signatures", "a b+ü=1", "content"u8.ToArray());
        var uri = new Uri($"{rados.Address}signatures/{SignatureV4.EscapePath("a b+ü=1")}");

        using var client = new HttpClient();
        using var valid = await SendAsync(client, Signer, uri);
        using var wrongSecret = await SendAsync(client, Signer with { SecretKey = "another" }, uri);
        using var skewed = await SendAsync(client, Signer with { Clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(20)) }, uri);
        using var unsigned = await client.GetAsync(uri);

        Assert.Equal("content", await valid.Content.ReadAsStringAsync());
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (wrongSecret.StatusCode, skewed.StatusCode, unsigned.StatusCode));
        Assert.Contains("SignatureDoesNotMatch", await wrongSecret.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_implementations_and_Ceph_agree_on_every_key()
    {
        var rados = await stores.Rados;
        await rados.Client.CreateBucketAsync("keys");
        string[] keys = [.. " +%=&~'()*!,;:@$#?[]{}^|`\"\\<>üé日😀".EnumerateRunes().Select(rune => $"a{rune}b/{rune}"), "a%41b", "a%2Fb", "u\u0308", "\u00A0", new string('k', 1000), "a//b", "a/"];
        await rados.Client.CreateBucketAsync(RadosGateway.VirtualHostBucket);
        await rados.Client.PutAsync("keys", keys.Select(key => (key, Encoding.UTF8.GetBytes(key))));
        await rados.Client.PutAsync(RadosGateway.VirtualHostBucket, keys.Select(key => ($"keys/{key}", Encoding.UTF8.GetBytes(key))));

        using var client = new HttpClient();
        foreach (var key in keys)
        {
            using var path = await SendAsync(client, Signer, new Uri($"{rados.Address}keys/{SignatureV4.EscapePath(key)}"));
            using var host = await SendAsync(client, Signer, new Uri($"{rados.VirtualHostAddress}keys/{SignatureV4.EscapePath(key)}"));
            Assert.Equal((key, key), (await path.Content.ReadAsStringAsync(), await host.Content.ReadAsStringAsync()));
        }
    }

    [Fact]
    public async Task Ceph_escapes_the_target_itself_so_only_the_scripted_store_requires_a_canonical_one()
    {
        var rados = await stores.Rados;
        await rados.Client.CreateBucketAsync("canonical");
        await rados.Client.PutAsync("canonical", "a=b", "content"u8.ToArray());

        using var client = new HttpClient();
        using var bare = await SendAsync(client, Signer, new Uri($"{rados.Address}canonical/a=b"));

        Assert.Equal(HttpStatusCode.OK, bare.StatusCode);
    }

    [Fact]
    public async Task Boto_uploads_objects_of_a_versioned_bucket()
    {
        var rados = await stores.Rados;
        await rados.Client.CreateBucketAsync("versions", isVersioned: true);
        var first = await rados.Client.PutAsync("versions", "a", "one"u8.ToArray());
        var second = await rados.Client.PutAsync("versions", "a", "two"u8.ToArray());

        using var client = new HttpClient();
        using var response = await SendAsync(client, Signer, new Uri($"{rados.Address}versions/a?versionId={Uri.EscapeDataString(first["VersionId"]!.GetValue<string>())}"));

        Assert.Equal("one", await response.Content.ReadAsStringAsync());
        Assert.NotEqual(first["VersionId"]!.GetValue<string>(), second["VersionId"]!.GetValue<string>());
    }

    [Fact]
    public async Task Boto_uploads_many_objects_in_one_process()
    {
        var count = Matrix.Of(full: 2_000, reduced: 50);
        var rados = await stores.Rados;
        await rados.Client.CreateBucketAsync("many");

        var started = TimeProvider.System.GetTimestamp();
        var results = await rados.Client.PutAsync("many", Enumerable.Range(0, count).Select(i => ($"x/{i}", Encoding.ASCII.GetBytes($"{i}"))));

        TestContext.Current.SendDiagnosticMessage("{0} uploads in {1:0.0} s", count, TimeProvider.System.GetElapsedTime(started).TotalSeconds);
        Assert.Equal(count, results.Count(result => result.ContainsKey("ETag")));
    }

    [Fact]
    public async Task Boto_reports_refused_calls()
    {
        var rados = await stores.Rados;

        var results = await new BotoClient(rados.Address, RadosGateway.AccessKey, "another").TryAsync(BotoClient.Call("list_buckets"));

        Assert.Equal("SignatureDoesNotMatch", results[0]["Error"]!.GetValue<string>());
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, SignatureV4 signer, Uri uri)
    {
        using var request = signer.CreateRequest(HttpMethod.Get, uri);
        return await client.SendAsync(request);
    }
}
