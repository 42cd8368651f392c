using System.Net.Sockets;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Hosting;

/// <summary>The commands beside <c>serve</c>, run as an operator runs them.</summary>
public sealed class CommandTests : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Gateway.dll");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-command-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Check_reports_every_error_of_a_start_and_listens_on_nothing()
    {
        Matrix.RequireFull();
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var valid = GatewayUnderTest.Configuration(("s", ["http://127.0.0.1:1/"]));
        valid["urls"] = $"http://{taken.LocalEndpoint}";
        var invalid = (JsonObject)valid.DeepClone();
        GatewayUnderTest.Set(invalid, "Bundle:Limits:MaxEntrys", 5);
        GatewayUnderTest.Set(invalid, "Bundle:Upstream:StallTimeout", "soon");

        var good = await RunAsync("check", "--config", Write(valid));
        var bad = await RunAsync("--config", Write(invalid), "check");

        Assert.Equal((0, "The configuration is valid.\n"), (good.ExitCode, good.Output));
        Assert.Equal((1, ""), (bad.ExitCode, bad.Output));
        var faults = bad.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, faults.Length);
        Assert.Contains(faults, fault => fault.StartsWith("Bundle:Limits:MaxEntrys: unknown key", StringComparison.Ordinal) && fault.EndsWith("did you mean MaxEntries?", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Kestrel:Endpoints:Https:Certificate:Path", "/nonexistent.pfx")]
    [InlineData("Kestrel:Endpoints:Https:Url", "https://:bad")]
    public async Task Check_reads_endpoints_and_certificates_and_sends_no_health_check(string key, string value)
    {
        Matrix.RequireFull();
        await using var upstream = new ScriptedUpstream();
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Active:Enabled", true);
        GatewayUnderTest.Set(configuration, "Kestrel:Endpoints:Https:Url", "https://127.0.0.1:0");
        GatewayUnderTest.Set(configuration, key, value);

        var (code, _, error) = await RunAsync("check", "--config", Write(configuration));

        Assert.Equal(1, code);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task Check_accepts_the_embedded_default()
    {
        Matrix.RequireFull();
        Assert.Equal(0, (await RunAsync("check")).ExitCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Health_is_0_while_the_gateway_is_alive_and_1_otherwise(bool hasManagement)
    {
        Matrix.RequireFull();
        var configuration = GatewayUnderTest.Configuration(("s", ["http://127.0.0.1:1/"]));
        var (port, management) = (ReservedPort.Next(), ReservedPort.Next());
        configuration["urls"] = $"http://0.0.0.0:{port}";
        if (hasManagement)
        {
            GatewayUnderTest.Set(configuration, "Management:Urls", $"http://127.0.0.1:{management}");
        }

        var file = Write(configuration);
        var before = await RunAsync("health", "--config", file);
        await using (await GatewayProcess.StartAsync(["serve", "--config", file]))
        {
            Assert.Equal((0, "The gateway is alive.\n"), ((await RunAsync("health", "--config", file)) is var (code, output, _) ? (code, output) : default));
            Assert.Equal(0, (await RunAsync("health", "--url", $"http://127.0.0.1:{(hasManagement ? management : port)}")).ExitCode);
            Assert.Equal(hasManagement ? 1 : 0, (await RunAsync("health", "--url", $"http://127.0.0.1:{port}/")).ExitCode);
        }

        Assert.Equal(1, before.ExitCode);
        Assert.Contains("does not respond", before.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/bundle?ids=s/a&format=tar")]
    [InlineData("/s/a")]
    [InlineData("/s/a?")]
    [InlineData("http://storage.example/bundle?id=s/a")]
    public async Task A_signed_URL_is_accepted_until_it_expires(string url)
    {
        Matrix.RequireFull();
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 1000, seed: 1);
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:SignedUrl:Keys", new[] { Convert.ToBase64String(new byte[32]) });
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:AuthorizationPolicy", "default");
        var file = Write(configuration);
        await using var gateway = await GatewayUnderTest.StartAsync((JsonObject)configuration.DeepClone());

        var (code, output, error) = await RunAsync("sign", url, "--config", file, "--lifetime", "00:05:00");

        Assert.True(code == 0, error);
        var target = output.Trim().Replace("http://storage.example", "", StringComparison.Ordinal);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await gateway.Client.GetAsync(target)).StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await gateway.Client.GetAsync(target[..^1] + (target[^1] == 'A' ? 'E' : 'A'))).StatusCode);
    }

    [Theory]
    [InlineData("a b", 2)]
    [InlineData("/a#b", 2)]
    [InlineData("http://host", 2)]
    [InlineData("/a", 1)]
    public async Task What_cannot_be_signed_is_named(string url, int code)
    {
        Matrix.RequireFull();
        var configuration = GatewayUnderTest.Configuration(("s", ["http://127.0.0.1:1/"]));
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:SignedUrl:Keys", code == 1 ? ["short"] : new[] { Convert.ToBase64String(new byte[32]) });

        var (exit, output, error) = await RunAsync("sign", url, "--config", Write(configuration));

        Assert.Equal((code, ""), (exit, output));
        Assert.Contains(code == 1 ? "SignedUrl:Keys:0 is not Base64" : "URL: must have a path", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_help_and_bad_arguments_end_at_once()
    {
        Matrix.RequireFull();

        Assert.Matches(@"^\d+\.\d+\.\d+", (await RunAsync("version")).Output);
        var help = await RunAsync("--help");
        Assert.All(new[] { "serve", "check", "health", "sign", "version" }, command => Assert.Contains($"  {command}", help.Output, StringComparison.Ordinal));
        Assert.Equal(2, (await RunAsync("chek")).ExitCode);
        Assert.Equal(2, (await RunAsync("health", "--url", "ftp://x")).ExitCode);
        Assert.Equal(1, (await RunAsync("check", "--config", "/nonexistent.json")).ExitCode);
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) => Tool.RunAsync("dotnet", [Program, .. arguments]);

    private string Write(JsonObject configuration)
    {
        var file = Path.Combine(_folder.FullName, Path.GetRandomFileName() + ".json");
        File.WriteAllText(file, configuration.ToJsonString());
        return file;
    }
}
