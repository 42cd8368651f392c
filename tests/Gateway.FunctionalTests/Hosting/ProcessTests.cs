using System.Net;
using System.Text.Json.Nodes;
using Gateway.Storage;
using Testing;

namespace Gateway.FunctionalTests.Hosting;

/// <summary>The program, started and stopped as an operator does it: arguments, exit codes, signals, the embedded default.</summary>
public class ProcessTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Gateway.dll");

    public static TheoryData<Protocol, bool> Ends => Ways.Each(Matrix.Of(full: Ways.Protocols, reduced: [Protocol.Http1, Protocol.Http2Tls]), [false, true]);

    [Fact]
    public async Task The_embedded_default_serves_samples_and_prints_a_working_command()
    {
        await using var process = await GatewayProcess.StartAsync(["--urls", "http://127.0.0.1:0"]);

        await Eventually.TrueAsync(() => process.Output.Any(line => line.Contains("curl -OJ '", StringComparison.Ordinal)), "the command");
        var command = process.Output.First(line => line.Contains("curl -OJ '", StringComparison.Ordinal)).Split("curl -OJ '")[1].Split('\'')[0];
        var archive = await Tool.RunAsync("bash", ["-c", $"curl -sf '{command}' | tar -tzf -"]);

        Assert.Equal(0, archive.ExitCode);
        Assert.Contains("samples/hello.txt\n", archive.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_configuration_error_is_a_line_and_the_exit_code_is_1()
    {
        var configuration = GatewayUnderTest.Configuration(("s", ["http://127.0.0.1:1/"]));
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxEntrys", 5);
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:StallTimeout", "soon");
        GatewayUnderTest.Set(configuration, "Bundle:Client:Patience", 1);

        var (exit, errors) = await RunAsync(configuration.ToJsonString());

        Assert.Equal(1, exit);
        Assert.Equal(3, errors.Length);
        Assert.Contains(errors, line => line.StartsWith("Bundle:Limits:MaxEntrys: unknown key", StringComparison.Ordinal));
        Assert.Contains(errors, line => line.StartsWith("Bundle:Upstream:StallTimeout: 'soon'", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Bundle:Limits:MaxActive", "0", "MaxActive")]
    [InlineData("Bundle:Compression:Default", "best", "Bundle:Compression:Default")]
    [InlineData("Bundle:Ready:RequiredClusters", "s", "RequiredClusters: is a list")]
    [InlineData("Bundle:Drain", "00:00:30", "Bundle:Drain: is a section")]
    [InlineData("Bundle:Links:Keys:0", "c2hvcnQ=", "Keys:0 is not Base64 of at least 32 bytes")]
    [InlineData("Bundle:Links:Lifetime", "31.00:00:00", "Lifetime")]
    [InlineData("ConnectionStrings:Redis", "host,secret=yes", "ConnectionStrings:Redis: is not valid")]
    [InlineData("Bundle:DefaultSource", "none", "there is no source 'none'")]
    [InlineData("Bundle:Ready:RequiredClusters:0", "none", "there is no cluster 'none'")]
    [InlineData("ReverseProxy:Routes:s:Match:Path", "/s/{key}", "catch-all")]
    [InlineData("ReverseProxy:Routes:s:Metadata:Bundle.Source", "a/b", "is not a source name")]
    [InlineData("ReverseProxy:Routes:s:Metadata:Bundle.Sorce", "a", "unknown key")]
    [InlineData("ReverseProxy:Routes:s:ClusterId", "none", "none")]
    [InlineData("ReverseProxy:Routes:s:Match:Hosts:0", "private.example", "must match by path only")]
    [InlineData("ReverseProxy:Clusters:s:Destinations:d0:Address", "file:no-such-folder/", "no-such-folder/' does not exist")]
    [InlineData("ReverseProxy:Clusters:s:LoadBalancingPolicy", "Psychic", "Psychic")]
    public async Task A_configuration_error_is_named_and_the_exit_code_is_1(string key, string value, string expected)
    {
        var configuration = GatewayUnderTest.Configuration(("s", ["http://127.0.0.1:1/"]));
        GatewayUnderTest.Set(configuration, key, value);

        // Starting a process for each would dominate the test time; the test above covers lines and exit code.
        var (exit, errors) = Matrix.IsFull ? await RunAsync(configuration.ToJsonString()) : (1, await FaultsAsync(configuration));

        Assert.Equal(1, exit);
        Assert.Contains(expected, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_is_not_JSON_is_exit_code_1()
    {
        Matrix.RequireFull();
        var (exit, errors) = await RunAsync("{ not json");

        Assert.Equal(1, exit);
        Assert.Single(errors);
    }

    [Theory]
    [InlineData("foo")]
    [InlineData("http://192.0.2.1:1")]
    public async Task An_address_that_cannot_be_listened_on_is_exit_code_1(string urls)
    {
        Matrix.RequireFull();
        Assert.Equal(1, (await Tool.RunAsync("dotnet", [Program, "--urls", urls])).ExitCode);
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("--config")]
    public async Task Bad_arguments_are_exit_code_2(string argument)
    {
        Matrix.RequireFull();
        Assert.Equal(2, (await Tool.RunAsync("dotnet", [Program, argument])).ExitCode);
    }

    [Fact]
    public async Task A_configuration_file_replaces_the_default()
    {
        Matrix.RequireFull();
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 10, seed: 1);
        await using var process = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("mine", [upstream.Address])));

        Assert.Equal(HttpStatusCode.NotFound, (await process.Client.GetAsync("/samples/hello.txt")).StatusCode);
        (await Download.GetAsync(process.Client, "/bundle?ids=mine/a")).RequireWhole();
    }

    [Theory]
    [MemberData(nameof(Ways.Slow), MemberType = typeof(Ways))]
    public async Task Row_29_After_SIGTERM_running_bundles_end_whole_new_ones_are_503_and_the_exit_code_is_0(Protocol protocol)
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(32 << 20, 1, compressible: false);
        upstream.Put("/a", content);
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Drain:Timeout", "00:01:00");
        await using var process = await GatewayProcess.StartAsync(configuration);
        await using var client = await PausingClient.OpenAsync(protocol, process.AddressOf(protocol), "/bundle?ids=s/a");

        var started = TimeProvider.System.GetTimestamp();
        await process.TerminateAsync();
        await Eventually.TrueAsync(async () => (await process.Client.GetAsync("/health/ready")).StatusCode == HttpStatusCode.ServiceUnavailable, "unready");
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds, 0, 5000);
        Assert.Equal(HttpStatusCode.OK, (await process.Client.GetAsync("/health/live")).StatusCode);
        var refused = await Download.GetAsync(process.ClientOf(protocol), "/bundle?ids=s/a");
        refused.RequireEarly(503);
        Assert.NotNull(refused.Response.Headers.RetryAfter);

        var rest = await client.TakeRestAsync();
        Assert.False(rest.IsCut, string.Join('\n', process.Output.Prepend($"{rest.Cut}")));
        Assert.Equal(content.Hash(), Download.Hash(rest.RequireWhole()["s/a"]));
        Assert.Equal(0, await process.ExitCodeAsync());
        Assert.Single(process.Output, line => line.Contains("\"Origin\":\"None\",\"Reason\":\"None\"", StringComparison.Ordinal));
        Assert.Single(process.Output, line => line.Contains("Draining: unready now", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Row_30_A_bundle_longer_than_the_drain_or_the_process_is_cut(Protocol protocol, bool isKilled)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", new ObjectContent(5L << 30, 1, compressible: false));
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Drain:Timeout", "00:00:00.2");
        await using var process = await GatewayProcess.StartAsync(configuration);
        await using var client = await PausingClient.OpenAsync(protocol, process.AddressOf(protocol), "/bundle?ids=s/a");

        if (isKilled)
        {
            process.Process.Kill();
        }
        else
        {
            await process.TerminateAsync();
            Assert.Equal(0, await process.ExitCodeAsync());
            Assert.Single(process.Output, line => line.Contains("\"Origin\":\"Gateway\",\"Reason\":\"Draining\"", StringComparison.Ordinal));
        }

        (await client.TakeRestAsync()).RequireCut();
    }

    private static async Task<string[]> FaultsAsync(JsonObject configuration) =>
        [.. (await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration, urls: "http://127.0.0.1:0"))).Faults];

    private static async Task<(int ExitCode, string[] Errors)> RunAsync(string configuration)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, configuration);
            var (exit, _, errors) = await Tool.RunAsync("dotnet", [Program, "--config", file, "--urls", "http://127.0.0.1:0"]);
            return (exit, errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
