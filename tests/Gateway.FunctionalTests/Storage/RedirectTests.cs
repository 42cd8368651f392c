using System.Text;
using Testing;
using WireMock.Server;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Storage that redirects.</summary>
public class RedirectTests
{
    private const int Size = 2_000_000;

    [Theory]
    [InlineData(301, "b")]
    [InlineData(302, "/base/b")]
    [InlineData(303, "./b")]
    [InlineData(307, "../base/x/../b")]
    [InlineData(308, "{address}base/b")]
    [InlineData(302, "b#fragment")]
    [InlineData(302, "folder/%C3%BC%20%25")]
    public async Task Row_40_A_redirect_within_the_source_is_followed(int status, string location)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put(location.StartsWith("folder", StringComparison.Ordinal) ? "/base/" + location : "/base/b", Size, seed: 1);
        upstream.Fail("/base/a", Redirect(status, location.Replace("{address}", upstream.Address, StringComparison.Ordinal)));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address + "base/");

        foreach (var missing in new[] { "fail", "skip", "abort" })
        {
            Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=" + missing)).RequireWhole()["s/a"]);
            Assert.Equal(("None/None", 0), await gateway.Outcomes.NextAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
        }
    }

    [Fact]
    public async Task Row_40_A_redirect_keeps_range_and_condition()
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/b", Size, seed: 1);
        upstream.Fail("/a", Redirect(302, "/b"));
        upstream.Fail("/b", Fault.Reset(1_000_000));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole()["s/a"]);

        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Resumes);
        var last = upstream.Requests.Last();
        Assert.Equal(("/b", true, $"\"v1-{Size}\""), (last.Path, last.Header("Range")?.StartsWith("bytes=", StringComparison.Ordinal), last.Header("If-Range")));
    }

    [Theory]
    [InlineData("{other}base/b")]
    [InlineData("//{otherhost}/base/b")]
    [InlineData("https://{host}/base/b")]
    [InlineData("http://user:secret@{host}/base/b")]
    [InlineData("/elsewhere/b")]
    [InlineData("../b")]
    [InlineData("/base/%2e%2e/b")]
    [InlineData("/base/..%2fb")]
    [InlineData("/base/%252e%252e/b")]
    [InlineData("/base/..;/b")]
    [InlineData("/base/x%2fb")]
    [InlineData("/base/x%5cb")]
    [InlineData("/base/%ffb")]
    [InlineData("/base/b?version=2")]
    [InlineData("/base/a")]
    [InlineData("/base/")]
    [InlineData("/basement/b")]
    [InlineData("http://")]
    [InlineData("")]
    public async Task Row_40_A_redirect_elsewhere_is_502_and_the_log_names_its_target(string location)
    {
        using var other = WireMockServer.Start();
        await using var upstream = new ScriptedUpstream();
        foreach (var path in new[] { "/base/b", "/b", "/elsewhere/b", "/basement/b", "/base/x/b" })
        {
            upstream.Put(path, 1000, seed: 1);
        }

        var host = new Uri(upstream.Address).Authority;
        location = location.Replace("{other}", other.Url + "/", StringComparison.Ordinal)
            .Replace("{otherhost}", new Uri(other.Url!).Authority, StringComparison.Ordinal).Replace("{host}", host, StringComparison.Ordinal);
        upstream.Fail("/base/a", Redirect(302, location));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address + "base/");

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        download.RequireEarly(502);
        Assert.DoesNotContain("127.0.0.1", Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal("Upstream/Redirected", outcome.Blame);
        Assert.True(location is "" or "http://" || outcome.Fields["Error"]!.ToString()!.Contains("Location: ", StringComparison.Ordinal), outcome.Fields["Error"]!.ToString());
        Assert.DoesNotContain("secret", string.Join('\n', gateway.Outcomes.Lines), StringComparison.Ordinal);
        Assert.Empty(other.LogEntries);
        Assert.All(upstream.Requests, request => Assert.Equal("/base/a", request.Path));
    }

    [Fact]
    public async Task Row_40_A_second_redirect_is_502()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/c", 1000, seed: 1);
        upstream.Fail("/a", Redirect(302, "/b"));
        upstream.Fail("/b", Redirect(302, "/c"));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);

        Assert.Equal("Upstream/Redirected", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task Row_40_A_redirect_to_a_path_of_another_route_is_502()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/private/b", 1000, seed: 1);
        upstream.Fail("/a", Redirect(302, "/private/b"));
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:private:ClusterId", "s");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:private:Match:Path", "/s/private/{**key}");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);

        Assert.Equal("Upstream/Redirected", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.DoesNotContain(upstream.Requests, request => request.Path == "/private/b");
    }

    [Fact]
    public async Task Row_40_The_region_that_S3_returns_is_in_the_log()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Fail("/a", Fault.Answer(301, ("x-amz-bucket-region", "eu-west-1\u001b[31m")) with { Times = 10 });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);

        var error = (await gateway.RequireOneOutcomeAsync()).Fields["Error"]!.ToString()!;
        Assert.StartsWith("Storage returned 301, a redirect, which is not followed. x-amz-bucket-region: eu-west-1", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', error);
    }

    private static Fault Redirect(int status, string location) => Fault.Answer(status, ("Location", location)) with { Times = 100 };
}
