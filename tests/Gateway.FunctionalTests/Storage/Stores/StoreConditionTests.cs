using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>Conditions of a client that reads one object through the proxy (RFC 9110, section 13), although the store ignores <c>If-Range</c>.</summary>
public class StoreConditionTests
{
    private const int Size = 1000;
    private const string Now = "Fri, 02 Jan 2026 03:04:06 GMT";
    private const string Old = "\"old\"";

    private static readonly string Current = StoreGateway.ETag(Size, 1);

    [Theory]
    [InlineData("current", 206)]
    [InlineData("old", 200)]
    [InlineData("weak", 200)]
    [InlineData("date", 200)]
    [InlineData("unquoted", 200)]
    public async Task If_Range_gives_the_part_of_the_same_version_and_otherwise_the_whole_new_object(string condition, int status)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);
        var value = condition switch { "current" => Current, "old" => Old, "weak" => $"W/{Current}", "unquoted" => "v1", _ => Now };

        var download = await StoreGateway.ReadAsync(gateway, "/s/a", headers: [("Range", "bytes=400-"), ("If-Range", value)]);

        Assert.Equal((status, Current), ((int)download.Status, download.Response.Headers.ETag!.ToString()));
        Assert.Equal(status == 206 ? body[400..] : body, download.Bytes);
        Assert.All(store.RequestsFor("a"), request => Assert.Null(request.Header("If-Range")));
        Assert.Empty(store.Refused);
    }

    [Theory]
    [InlineData(Ending.Reset)]
    [InlineData(Ending.Close)]
    public async Task If_Range_of_an_old_version_gives_the_whole_object_even_if_the_first_connection_was_dead(Ending ending)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);
        await StoreGateway.ReadAsync(gateway, "/s/a");
        store.Upstream.KillConnections(ending);

        var download = await StoreGateway.ReadAsync(gateway, "/s/a", headers: [("Range", "bytes=400-"), ("If-Range", Old)]);

        Assert.Equal(HttpStatusCode.OK, download.Status);
        Assert.Equal(body, download.Bytes);
    }

    [Theory]
    [InlineData("current", "current", 206)]
    [InlineData("current", "old", 200)]
    [InlineData("old", "current", 412)]
    [InlineData("old", "old", 412)]
    public async Task If_Match_decides_before_If_Range(string match, string range, int status)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);

        var download = await StoreGateway.ReadAsync(gateway, "/s/a", headers: [("Range", "bytes=400-"), ("If-Match", Value(match)), ("If-Range", Value(range))]);

        // A server may ignore a range (RFC 9110, section 14.2).
        Assert.Contains((int)download.Status, status == 206 ? [206, 200] : new[] { status });
        Assert.Equal(status == 412 ? [] : download.Status == HttpStatusCode.OK ? body : body[400..], status == 412 ? [] : download.Bytes);
    }

    [Fact]
    public async Task If_Unmodified_Since_still_counts_beside_If_Range()
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);

        await StoreGateway.ReadAsync(gateway, "/s/a", headers: [("Range", "bytes=400-"), ("If-Unmodified-Since", Now), ("If-Range", Current)]);

        // A store ignores the date beside If-Match (RFC 9110, section 13.1.4).
        Assert.Equal((Now, null), store.RequestsFor("a").Single() is var request ? (request.Header("If-Unmodified-Since"), request.Header("If-Match")) : default);
    }

    [Theory]
    [InlineData("If-Match", "current", 200)]
    [InlineData("If-Match", "*", 200)]
    [InlineData("If-Match", "old", 412)]
    public async Task A_condition_reaches_the_store(string name, string value, int status)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);

        var download = await StoreGateway.ReadAsync(gateway, "/s/a", headers: (name, Value(value)));

        Assert.Equal(status, (int)download.Status);
        Assert.Equal(Value(value), store.RequestsFor("a").Single().Header(name));
        Assert.Empty(store.Refused);
    }

    [Theory]
    [InlineData("If-None-Match", "\"any\"")]
    [InlineData("If-Modified-Since", Now)]
    public async Task Not_modified_is_forwarded_without_what_the_store_reports_about_itself(string name, string value)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, 1, ("x-amz-version-id", "v1"));
        store.Fail("a", Fault.Answer(304, ("ETag", Current), ("x-amz-request-id", ScriptedS3.RequestId), ("Server", "AmazonS3")));
        await using var gateway = await StoreGateway.StartAsync(store);

        var download = await StoreGateway.ReadAsync(gateway, "/s/a", headers: (name, value));

        Assert.Equal((HttpStatusCode.NotModified, Current), (download.Status, download.Response.Headers.ETag!.ToString()));
        Assert.Equal(value, store.RequestsFor("a").Single().Header(name));
        Assert.DoesNotContain(download.Response.Headers, header => header.Key.StartsWith("x-amz", StringComparison.OrdinalIgnoreCase) || header.Key == "Server");
    }

    [Theory]
    [InlineData("bytes=0-0", 206, 1)]
    [InlineData("bytes=-10", 206, 10)]
    [InlineData("bytes=990-2000", 206, 10)]
    [InlineData("bytes=1000-", 416, 0)]
    public async Task A_range_is_served_with_a_valid_signature(string range, int status, int length)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);

        var download = await StoreGateway.ReadAsync(gateway, "/s/a", headers: ("Range", range));

        Assert.Equal((status, length), ((int)download.Status, status == 206 ? download.Bytes.Length : 0));
        Assert.Empty(store.Refused);
    }

    [Fact]
    public async Task A_client_that_resumes_with_If_Range_through_two_versions_never_mixes_them()
    {
        await using var store = new ScriptedS3();
        var first = store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);
        var begun = await StoreGateway.ReadAsync(gateway, "/s/a", headers: ("Range", "bytes=0-499"));
        var second = store.Put("a", Size, seed: 2);

        var resumed = await StoreGateway.ReadAsync(gateway, "/s/a", headers: [("Range", "bytes=500-"), ("If-Range", begun.Response.Headers.ETag!.ToString())]);

        Assert.Equal(first[..500], begun.Bytes);
        Assert.Equal(HttpStatusCode.OK, resumed.Status);
        Assert.Equal(second, resumed.Bytes);
    }

    private static string Value(string name) => name switch { "current" => Current, "old" => Old, _ => name };
}
