using System.Net;
using System.Text.RegularExpressions;
using Testing;

namespace Gateway.FunctionalTests.Deploy;

/// <summary>A real nginx as reverse proxy: with only <c>proxy_pass</c>, with <c>deploy/nginx.conf</c>, and with common settings.</summary>
public sealed partial class NginxInFrontTests : IAsyncLifetime
{
    private const string GzipAll = "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;";

    private readonly ScriptedUpstream _upstream = new();
    private readonly ObjectContent _content = new(3_000_000, 1, compressible: false);
    private GatewayUnderTest _gateway = null!;

    public static TheoryData<string> Settings => new("", "proxy_buffering off;", GzipAll, "proxy_http_version 1.1;", "proxy_http_version 1.1; proxy_set_header Connection '';" + GzipAll);

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/a", _content);
        _gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], _upstream.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task Archives_of_known_length_are_served_with_any_settings(string settings)
    {
        await using var nginx = await StartAsync($"location / {{ proxy_pass {_gateway.Address}; {settings} }}");
        using var client = new HttpClient { BaseAddress = new Uri(nginx.Address) };

        foreach (var url in new[] { "/bundle?ids=s/a&format=tar", "/bundle?ids=s/a&compression=store", "/bundle?ids=s/a&format=zip&compression=store" })
        {
            Assert.Equal(_content.Hash(), Download.Hash((await Download.GetAsync(client, url)).RequireWhole()["s/a"]));
        }

        using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/bundle?ids=s/a"));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/bundle/plan?ids=s/a")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/bundle?ids=s/none")).StatusCode);
        using var created = await client.PostAsync("/bundle/links", new FormUrlEncodedContent([new("ids", "s/a"), new("format", "tar")]));
        (await Download.GetAsync(client, created.Headers.Location!.ToString())).RequireWhole();
    }

    [Fact]
    public async Task Over_HTTP_1_0_an_archive_of_unknown_length_is_505_and_the_reason_names_the_setting()
    {
        await using var nginx = await StartAsync($"location / {{ proxy_pass {_gateway.Address}; }}");
        using var client = new HttpClient { BaseAddress = new Uri(nginx.Address) };

        var download = await Download.GetAsync(client, "/bundle?ids=s/a");

        download.RequireEarly(505);
        Assert.Contains("proxy_http_version 1.1", System.Text.Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task A_cut_reaches_the_client(string settings)
    {
        _upstream.Put("/b", _content, etag: null);
        await using var nginx = await StartAsync($"location / {{ proxy_pass {_gateway.Address}; {settings} }}");
        using var client = new HttpClient { BaseAddress = new Uri(nginx.Address) };
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("gzip");
        foreach (var recipe in new[] { "format=tar", "compression=store", "compression=fast", "format=zip" }.Where(recipe => settings.Contains("1.1", StringComparison.Ordinal) || !recipe.EndsWith("fast", StringComparison.Ordinal) && recipe != "format=zip"))
        {
            _upstream.Fail("/b", Fault.Close(2_000_000), Fault.Close(2_000_000));

            var download = await Download.GetAsync(client, $"/bundle?ids=s/b&missing=fail&{recipe}");

            Assert.True(download.IsCut, $"{recipe}: {download.Status}");
        }
    }

    [Fact]
    public async Task The_sample_in_deploy_serves_every_format_and_forwards_aborts()
    {
        var sample = await File.ReadAllTextAsync(Path.Combine(DeployTests.Root, "deploy/nginx.conf"), TestContext.Current.CancellationToken);
        var location = Location().Match(sample).Value.Replace("http://gateway", _gateway.Address.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);
        await using var nginx = await StartAsync("client_max_body_size 8m;" + location);
        using var client = new HttpClient { BaseAddress = new Uri(nginx.Address) };

        foreach (var recipe in Ways.Recipes)
        {
            Assert.Equal(_content.Hash(), Download.Hash((await Download.GetAsync(client, $"/bundle?ids=s/a&{recipe}")).RequireWhole()["s/a"]));
        }

        _upstream.Put("/b", _content, etag: null);
        _upstream.Fail("/b", Fault.Close(2_000_000));
        (await Download.GetAsync(client, "/bundle?ids=s/b")).RequireCut();
        var curl = await Tool.RunAsync("curl", ["-s", "-r", "1000-", "-o", "/dev/null", "-w", "%{http_code}", nginx.Address + "bundle?ids=s/a"]);
        Assert.Equal("206", curl.Output);
    }

    private static Task<NginxServer> StartAsync(string settings) => NginxServer.StartAsync(settings);

    [GeneratedRegex(@"location / \{.*?\n    \}", RegexOptions.Singleline)]
    private static partial Regex Location();
}
