using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Storage whose HEAD reports something different from its GET.</summary>
public class WrongHeadTests
{
    private const int Count = 20;
    private const int Size = 20_000;

    // No object is read ahead completely, so all are planned with HEAD.
    private static readonly (string, object)[] ByHead = [("Upstream:LookaheadBytes", 0)];

    public static TheoryData<string> Ways => new("?missing=fail", "?missing=skip", "?missing=fail&format=zip", "?missing=fail&format=tar");

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(500)]
    [InlineData(501)]
    [InlineData(502)]
    public async Task Row_37_If_HEAD_is_rejected_GET_decides(int status)
    {
        await using var upstream = Storage(new Fault { Method = "HEAD", Status = status, Times = 1000 });
        await using var gateway = await GatewayUnderTest.StartAsync(ByHead, upstream.Address);

        // The same before and after another request.
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(Count, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids}")).RequireWhole().Count);
            Assert.Equal(("None/None", 0), await gateway.Outcomes.NextAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
            Assert.Equal(200, (int)(await gateway.Client.GetAsync($"/bundle/plan?ids={Ids}")).StatusCode);
            await gateway.Outcomes.NextAsync();
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("999")]
    [InlineData("5000000")]
    public async Task Row_38_A_wrong_length_of_HEAD_is_corrected_before_the_first_byte(string length)
    {
        foreach (var way in Ways)
        {
            await using var upstream = Storage(new Fault { Method = "HEAD", Headers = new Dictionary<string, string> { ["Content-Length"] = length }, Times = 1000 });
            await using var gateway = await GatewayUnderTest.StartAsync(ByHead, upstream.Address);

            var download = await Download.GetAsync(gateway.Client, $"/bundle{way.Data}&ids={Ids}");

            Assert.All(download.RequireWhole().Values, body => Assert.Equal(Size, body.Length));
            Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
        }
    }

    [Fact]
    public async Task Row_38_A_wrong_ETag_of_HEAD_is_replaced_by_that_of_GET()
    {
        await using var right = Storage(null);
        await using var wrong = Storage(new Fault { Method = "HEAD", Headers = new Dictionary<string, string> { ["ETag"] = "\"of-head\"" }, Times = 1000 });
        await using var first = await GatewayUnderTest.StartAsync(ByHead, right.Address);
        await using var second = await GatewayUnderTest.StartAsync(ByHead, wrong.Address);

        var expected = await Download.GetAsync(first.Client, $"/bundle?ids={Ids}");
        var actual = await Download.GetAsync(second.Client, $"/bundle?ids={Ids}");

        actual.RequireWhole();
        Assert.Equal(expected.Response.Headers.ETag, actual.Response.Headers.ETag);
        Assert.Equal(expected.Bytes, actual.Bytes);
        await first.RequireOneOutcomeAsync();
        await second.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task Row_38_A_download_with_a_wrong_ETag_of_HEAD_is_resumed_on_another_replica()
    {
        await using var storage = Storage(new Fault { Method = "HEAD", Headers = new Dictionary<string, string> { ["ETag"] = "\"of-head\"" }, Times = 1000 });
        await using var first = await GatewayUnderTest.StartAsync(ByHead, storage.Address);
        await using var second = await GatewayUnderTest.StartAsync(ByHead, storage.Address);
        var whole = await Download.GetAsync(first.Client, $"/bundle?ids={Ids}");

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/bundle?ids={Ids}");
        request.Headers.Range = new(100_000, null);
        request.Headers.IfRange = new(whole.Response.Headers.ETag!);
        var rest = await Download.SendAsync(second.Client, request);

        Assert.Equal(206, (int)rest.Response.StatusCode);
        Assert.Equal(whole.Bytes[100_000..], rest.Bytes);
        await first.RequireOneOutcomeAsync();
        await second.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task Row_38_An_ETag_that_only_HEAD_sends_is_reported_as_such()
    {
        await using var upstream = Storage(new Fault { Without = ["ETag"], Times = 1000 });
        await using var gateway = await GatewayUnderTest.StartAsync(ByHead, upstream.Address);

        var download = await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids}");

        download.RequireEarly(502);
        Assert.Contains("HEAD returns an ETag for the object; GET returns none.", System.Text.Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
        Assert.Equal("Upstream/VersionUnknown", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task Row_38_A_wrong_HEAD_of_a_later_object_is_reported_precisely()
    {
        await using var upstream = Storage(null);
        upstream.Fail($"/{Count - 1}", new Fault { Method = "HEAD", Headers = new Dictionary<string, string> { ["Content-Length"] = "7" }, Times = 1000 });
        await using var gateway = await GatewayUnderTest.StartAsync(ByHead, upstream.Address);

        (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids}")).RequireCut();

        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("Upstream/SizeDiffers", $"HEAD reports 7 bytes, GET reports {Size}."), (outcome.Blame, outcome.Fields["Error"]));
    }

    [Fact]
    public async Task Row_38_A_correct_manifest_is_not_blamed_for_a_wrong_HEAD()
    {
        await using var upstream = Storage(new Fault { Method = "HEAD", Headers = new Dictionary<string, string> { ["Content-Length"] = "7" }, Times = 1000 });
        await using var gateway = await GatewayUnderTest.StartAsync(ByHead, upstream.Address);
        var manifest = new { entries = Enumerable.Range(0, Count).Select(i => new { id = $"s/{i}", size = Size }) };

        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = System.Net.Http.Json.JsonContent.Create(manifest) };
        Assert.Equal(Count, (await Download.SendAsync(gateway.Client, request)).RequireWhole().Count);
        await gateway.RequireOneOutcomeAsync();
    }

    [Theory]
    [InlineData(true, "skip", 200)]
    [InlineData(true, "fail", 404)]
    [InlineData(false, "skip", 502)]
    public async Task Row_41_A_forbidden_key_is_missing_only_if_the_route_is_configured_so(bool isMissing, string missing, int expected)
    {
        await using var upstream = Storage(null);
        foreach (var key in new[] { "/3", "/5" })
        {
            upstream.Fail(key, Fault.Answer(403) with { Times = 9 });
        }

        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.ForbiddenIsMissing", isMissing ? "true" : "false");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var download = await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids}&missing={missing}");

        Assert.Equal(expected, (int)download.Response.StatusCode);
        Assert.True(expected != 200 || download.RequireWhole().Count == Count - 2);
        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task Row_41_If_everything_is_forbidden_nothing_is_missing()
    {
        await using var upstream = Storage(Fault.Answer(403) with { Times = 9 });
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.ForbiddenIsMissing", "true");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids}&missing=skip")).RequireEarly(502);
        await gateway.RequireOneOutcomeAsync();
    }

    private static string Ids => string.Join(',', Enumerable.Range(0, Count).Select(i => $"s/{i}"));

    private static ScriptedUpstream Storage(Fault? fault)
    {
        var upstream = new ScriptedUpstream();
        for (var i = 0; i < Count; i++)
        {
            upstream.Put($"/{i}", Size, seed: i + 1);
            if (fault is not null)
            {
                upstream.Fail($"/{i}", fault);
            }
        }

        return upstream;
    }
}
