using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Keys that are legal in S3 but not as file names: a manifest names their entries.</summary>
public class ExactIdTests
{
    public static TheoryData<string, string> Keys => new()
    {
        { "a//b", "/a//b" },
        { "dir/", "/dir/" },
        { "dir//", "/dir//" },
        { "/lead", "//lead" },
        { "//lead", "///lead" },
        { "a%20b", "/a%2520b" },
        { "a%2Fb", "/a%252Fb" },
        { "%25", "/%2525" },
        { "a%2520b", "/a%252520b" },
        { "100%/%zz", "/100%25/%25zz" },
        { "a?b#c;d", "/a%3Fb%23c;d" },
        { "ü%C3%BC/", "/%C3%BC%25C3%25BC/" },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task The_key_of_an_entry_with_a_name_is_exact(string key, string path)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put(path, 1000, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        foreach (var missing in new[] { "fail", "abort" })
        {
            var download = await PostAsync(gateway, "/bundle", "s/" + key, "name.bin", missing);

            Assert.Equal(body, download.RequireWhole()["name.bin"]);
            await gateway.Outcomes.NextAsync();
        }

        Assert.All(upstream.Requests, request => Assert.Equal(path, request.Path));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_link_keeps_the_key(string key, string path)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put(path, 1000, seed: 1);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        using var created = await gateway.Client.PostAsJsonAsync("/bundle/links", new { entries = new[] { new { id = "s/" + key, name = "name.bin" } } });
        await gateway.Outcomes.NextAsync();

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, created.Headers.Location!.ToString())).RequireWhole()["name.bin"]);
        await gateway.Outcomes.NextAsync();
    }

    [Theory]
    [InlineData("a//b")]
    [InlineData("dir/")]
    [InlineData("a%20b")]
    public async Task Without_a_separate_name_an_entry_needs_an_id_that_is_a_valid_name(string key)
    {
        await using var upstream = new ScriptedUpstream();
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?id=" + Uri.EscapeDataString("s/" + key))).RequireEarly(400);
        await gateway.Outcomes.NextAsync();
        (await PostAsync(gateway, "/bundle", "s/" + key, name: null, "fail")).RequireEarly(400);
        await gateway.Outcomes.NextAsync();

        // Such an id cannot be the name either.
        (await PostAsync(gateway, "/bundle", "s/" + key, "s/" + key, "fail")).RequireEarly(400);
        await gateway.Outcomes.NextAsync();
        Assert.Empty(upstream.Requests);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a//../b")]
    [InlineData("./b")]
    [InlineData("%2e%2e/b")]
    [InlineData("%252e%252e/b")]
    [InlineData("%%32%65%%32%65/b")]
    [InlineData("a/..%2fb")]
    [InlineData("a/..%5cb")]
    [InlineData("..;x/b")]
    [InlineData("a\\b")]
    [InlineData("a\u202eb")]
    [InlineData("a\u0000b")]
    [InlineData("\uFF0E\uFF0E/b")]
    public async Task A_key_that_leads_elsewhere_or_hides_something_is_still_rejected(string key)
    {
        await using var upstream = new ScriptedUpstream();
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await PostAsync(gateway, "/bundle", "s/" + key, "name", "fail")).RequireEarly(400);

        await gateway.RequireOneOutcomeAsync();
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task An_id_without_a_key_is_refused()
    {
        await using var upstream = new ScriptedUpstream();
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        (await PostAsync(gateway, "/bundle", "s/", "name", "fail")).RequireEarly(400);

        await gateway.RequireOneOutcomeAsync();
        Assert.Empty(upstream.Requests);
    }

    [Theory]
    [InlineData("PathPattern", "/x/{**key}", "/x")]
    [InlineData("PathPattern", "/{**key}", "")]
    [InlineData("PathPattern", "/x/{*key}", "/x")]
    [InlineData("PathSet", "/x/a", "/x")]
    public async Task If_a_transform_changes_the_key_the_entry_is_rejected_and_the_transform_named(string transform, string value, string prefix)
    {
        foreach (var key in new[] { "a//b", "dir/", "/lead", "//lead", "a%20b", "%25" })
        {
            await using var upstream = new ScriptedUpstream();
            var body = upstream.Put(prefix + "/" + key.Replace("%", "%25", StringComparison.Ordinal), 1000, seed: 1);
            var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
            configuration["ReverseProxy"]!["Routes"]!["s"]!["Transforms"] = new JsonArray(new JsonObject { [transform] = value });
            await using var gateway = await GatewayUnderTest.StartAsync(configuration);

            var download = await PostAsync(gateway, "/bundle", "s/" + key, "name", "fail");

            var outcome = await gateway.RequireOneOutcomeAsync();
            if ((int)download.Status == 200)
            {
                Assert.NotEqual("PathSet", transform);
                Assert.Equal(body, download.RequireWhole()["name"]);
            }
            else
            {
                download.RequireEarly(400);
                Assert.Contains($"The route's path transforms ({transform}) do not send this key unchanged.", Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
                Assert.Equal("Gateway/KeyNotKept", outcome.Blame);
                Assert.Empty(upstream.Requests);
            }
        }
    }

    [Fact]
    public async Task A_file_whose_name_looks_encoded_is_read_from_a_folder()
    {
        var folder = Directory.CreateTempSubdirectory("exact-");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "a%20b"), "right");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "a b"), "wrong");
        await using var gateway = await GatewayUnderTest.StartAsync($"file:{folder.FullName}/");

        Assert.Equal("right"u8.ToArray(), (await PostAsync(gateway, "/bundle", "s/a%20b", "name", "fail")).RequireWhole()["name"]);
        await gateway.Outcomes.NextAsync();
        (await PostAsync(gateway, "/bundle", "s/a%20b/", "name", "fail")).RequireEarly(404);
        await gateway.Outcomes.NextAsync();
        folder.Delete(recursive: true);
    }

    private static async Task<Download> PostAsync(GatewayUnderTest gateway, string url, string id, string? name, string missing)
    {
        var entry = new JsonObject { ["id"] = id };
        if (name is not null)
        {
            entry["name"] = name;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = JsonContent.Create(new { missing, entries = new[] { entry } }) };
        return await Download.SendAsync(gateway.Client, request);
    }
}
