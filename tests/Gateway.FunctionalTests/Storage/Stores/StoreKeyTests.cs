using System.Net;
using System.Net.Http.Json;
using System.Text;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>Keys of every kind are escaped as the store signs them, whatever way leads to them.</summary>
public class StoreKeyTests
{
    private static readonly string[] Keys =
    [
        "plain", "a b", "a+b", "100%", "a%41b", "a%2Fb", "a%2fb", "a%252Fb", "a=b", "a&b=c", "~a", "it's(1)*!", "a,b;c:d@e$f", "a#b?c", "[a]{b}^c|d`e", "\"quoted\"<a>",
        "\u00FC", "u\u0308", "日本語", "😀", "a\u00A0b", "dir/file.txt", "dir.with.dots/..a/a../...", "+", "%", "=", "?", "*", " lead", "trail ", new string('k', 1000), new string('ü', 500),
    ];

    // A client can only read these one by one.
    private static readonly string[] Direct = ["a\\b", "\\"];

    // Only a manifest that names the entry can request these.
    private static readonly string[] Exact = ["a//b", "/lead", "dir/", "%25/%zz"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_key_is_read_directly(bool isPathStyle)
    {
        await using var store = Create(isPathStyle, [.. Keys, .. Direct]);
        await using var gateway = await StoreGateway.StartAsync(store);

        foreach (var key in Keys.Concat(Direct))
        {
            var url = $"/s/{SignatureV4.EscapePath(key)}";
            var body = Encoding.UTF8.GetBytes(key);
            var whole = await StoreGateway.ReadAsync(gateway, url);
            var head = await StoreGateway.ReadAsync(gateway, url, HttpMethod.Head);
            var part = await StoreGateway.ReadAsync(gateway, url, headers: ("Range", "bytes=0-0"));
            Assert.Equal((key, key), (key, Encoding.UTF8.GetString(whole.Bytes)));
            Assert.Equal((key, HttpStatusCode.OK, body.Length), (key, head.Status, (int)head.Response.Content.Headers.ContentLength!));
            Assert.Equal((key, HttpStatusCode.PartialContent, body[0]), (key, part.Status, Assert.Single(part.Bytes)));
            Assert.Equal(3, store.RequestsFor(key).Length);
        }

        Assert.Empty(store.Refused);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_key_is_an_entry_of_a_manifest(bool isPathStyle)
    {
        string[] keys = [.. Keys, .. Exact];
        await using var store = Create(isPathStyle, keys);
        await using var gateway = await StoreGateway.StartAsync(store);
        foreach (var missing in new[] { "fail", "abort" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle")
            {
                Content = JsonContent.Create(new { missing, entries = keys.Select((key, i) => new { id = $"s/{key}", name = $"{i}" }) }),
            };

            var download = await Download.SendAsync(gateway.Client, request);

            Assert.Equal(keys, download.RequireWhole().Values.Select(Encoding.UTF8.GetString));
        }

        Assert.Empty(store.Refused);
    }

    [Fact]
    public async Task Every_key_that_can_be_a_name_is_an_id()
    {
        await using var store = Create(isPathStyle: true, Keys);
        await using var gateway = await StoreGateway.StartAsync(store);
        var read = 0;
        foreach (var key in Keys)
        {
            var download = await Download.GetAsync(gateway.Client, $"/bundle?id={Uri.EscapeDataString($"s/{key}")}&format=tar");

            // Some keys cannot be names on Windows, or are ambiguous without a manifest.
            Assert.Contains(download.Status, new[] { HttpStatusCode.OK, HttpStatusCode.BadRequest });
            if (download.Status == HttpStatusCode.OK)
            {
                Assert.Equal(key, Encoding.UTF8.GetString(Assert.Single(download.RequireWhole()).Value));
                read++;
            }
        }

        Assert.InRange(read, 15, Keys.Length);
        Assert.Empty(store.Refused);
    }

    [Fact]
    public async Task A_resume_and_a_version_of_an_odd_key_are_escaped_in_the_same_way()
    {
        const string Key = "ü =+&~/a%41b";
        await using var store = new ScriptedS3();
        store.Put(Key, new ObjectContent(400_000, 1), "\"one\"", ("x-amz-version-id", "a+b/c=="));
        store.Fail(Key, Fault.Close(100_000), new Fault { Swap = new ScriptedObject(new ObjectContent(400_000, 2), "\"two\"") });
        await using var gateway = await StoreGateway.StartAsync(store, [.. Patience.Usual]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = JsonContent.Create(new { entries = new[] { new { id = $"s/{Key}", name = "a" } } }) };

        var download = await Download.SendAsync(gateway.Client, request);

        Assert.Equal(new ObjectContent(400_000, 1).ToArray(), download.RequireWhole()["a"]);
        Assert.EndsWith("?versionId=a%2Bb%2Fc%3D%3D", store.Upstream.Requests.Last().Path, StringComparison.Ordinal);
        Assert.Empty(store.Refused);
    }

    private static ScriptedS3 Create(bool isPathStyle, string[] keys)
    {
        var store = isPathStyle ? new ScriptedS3() : new ScriptedS3("127", isPathStyle: false);
        foreach (var (key, i) in keys.Select((key, i) => (key, i)))
        {
            store.Put(key, ObjectContent.Of(Encoding.UTF8.GetBytes(key)), $"\"{i}\"");
        }

        return store;
    }
}
