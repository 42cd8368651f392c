using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Storage whose objects do not match the checksums that it reports, or that reports different ones each time.</summary>
public class ChecksumTests
{
    private const int Count = 20;
    private const int Size = 20_000;

    private static readonly (string, object)[] ByHead = [("Upstream:LookaheadBytes", 0)];

    public static TheoryData<string> Recipes => new("format=tar.gz", "format=tar", "format=tar.zst", "format=zip", "format=zip&compression=store");

    [Theory]
    [InlineData("x-amz-checksum-sha256", 32)]
    [InlineData("Content-MD5", 16)]
    [InlineData("x-amz-checksum-crc32", 4)]
    public async Task Row_38_A_small_object_that_does_not_match_its_checksum_is_502_and_named(string header, int length)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/good", Size, seed: 1);
        upstream.Put("/bad", Size, 2, (header, Convert.ToBase64String(new byte[length])));
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], upstream.Address);

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/good,s/bad");

        download.RequireEarly(502);
        Assert.Contains("\"id\":\"s/bad\"", Encoding.UTF8.GetString(download.Bytes).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("Upstream/ChecksumDiffers", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("fail")]
    [InlineData("abort")]
    public async Task Row_38_A_small_object_that_was_damaged_once_is_read_again(string missing)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", Size, 1, ("Content-MD5", Convert.ToBase64String(MD5Of(new ObjectContent(Size, 1).ToArray()))));
        upstream.Fail("/a", new Fault { Headers = new Dictionary<string, string> { ["Content-MD5"] = Convert.ToBase64String(new byte[16]) } });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=" + missing);

        Assert.Equal(body, download.RequireWhole()["s/a"]);
        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Retries);
    }

    [Fact]
    public async Task A_small_object_whose_hash_differs_from_the_manifest_is_409_and_named()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = JsonContent.Create(new { entries = new[] { new { id = "s/a", sha256 = Download.Hash([]) } } }) };

        var download = await Download.SendAsync(gateway.Client, request);

        download.RequireEarly(409);
        Assert.Contains("has another sha256 than the manifest says", Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
        await gateway.RequireOneOutcomeAsync();
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public async Task Row_38_A_wrong_checksum_of_HEAD_is_corrected_before_the_first_byte(string recipe)
    {
        await using var upstream = Storage(from: 0);
        await using var gateway = await GatewayUnderTest.StartAsync(ByHead, upstream.Address);

        Assert.Equal(Count, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids}&{recipe}")).RequireWhole().Count);
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public async Task Row_38_A_wrong_checksum_of_HEAD_of_a_later_object_is_reported_as_a_storage_failure(string recipe)
    {
        await using var upstream = Storage(from: Count - 1);
        await using var gateway = await GatewayUnderTest.StartAsync(ByHead, upstream.Address);

        (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids}&{recipe}")).RequireCut();
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("Upstream/ChecksumDiffers", "HEAD and GET report different checksums of the object."), (outcome.Blame, outcome.Fields["Error"]));
    }

    private static string Ids => string.Join(',', Enumerable.Range(0, Count).Select(i => $"s/{i}"));

    /// <param name="from">The first object whose checksum in HEAD differs from GET.</param>
    private static ScriptedUpstream Storage(int from)
    {
        var upstream = new ScriptedUpstream();
        for (var i = 0; i < Count; i++)
        {
            upstream.Put($"/{i}", Size, i, ("Content-MD5", Convert.ToBase64String(MD5Of(new ObjectContent(Size, i).ToArray()))));
            if (i >= from)
            {
                upstream.Fail($"/{i}", new Fault { Method = "HEAD", Headers = new Dictionary<string, string> { ["Content-MD5"] = Convert.ToBase64String(new byte[16]) }, Times = 1000 });
            }
        }

        return upstream;
    }

    private static byte[] MD5Of(byte[] bytes) => CryptographicOperations.HashData(HashAlgorithmName.MD5, bytes);
}
