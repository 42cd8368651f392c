using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Telemetry;

/// <summary>A real Prometheus, and its own checks of names and rules.</summary>
public sealed class PrometheusTests
{
    [Fact]
    public async Task Prometheus_scrapes_the_gateway_and_counts_a_bundle()
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 300_000, seed: 1);
        await using var gateway = await StartAsync(upstream);
        var folder = Directory.CreateTempSubdirectory("gateway-prometheus-");
        var port = ReservedPort.Next();
        var configuration = Path.Combine(folder.FullName, "prometheus.yml");
        await File.WriteAllTextAsync(configuration, $$"""
            global: { scrape_interval: 200ms, scrape_timeout: 200ms }
            scrape_configs:
              - job_name: gateway
                static_configs: [ { targets: ["{{gateway.Addresses[^1].Authority}}"] } ]
            """);
        string[] arguments = [$"--config.file={configuration}", $"--storage.tsdb.path={folder.FullName}", string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"), "--log.level=error"];
        using var process = Process.Start(new ProcessStartInfo(Tool.Require("prometheus"), arguments) { RedirectStandardError = true })!;
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")) };
            Assert.True(await Tool.AnswersAsync(process, port), "Prometheus does not start");
            await Eventually.TrueAsync(async () => await QueryAsync(client, "up") == 1 && await QueryAsync(client, "sum(gateway_bundle_outcomes_total)") == 0, "a scrape before the bundle");

            (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();

            // Because the series was 0 before, the first event is an increase.
            await Eventually.TrueAsync(async () => await QueryAsync(client, "sum(increase(gateway_bundle_outcomes_total{reason=\"None\"}[1m])) > 0") > 0, "the bundle is an increase");
            Assert.Equal(300_000, await QueryAsync(client, "gateway_upstream_bytes_total{source=\"s\", destination=\"d0\"}"));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Names_and_types_follow_Prometheus_rules()
    {
        Tool.Require("promtool");
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", 1000, seed: 1);
        await using var gateway = await StartAsync(upstream);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
        var page = await PrometheusText.GetAsync(gateway.Client, gateway.Addresses[^1]);
        var own = page.Text.Split('\n').Where(line => line.StartsWith("gateway_", StringComparison.Ordinal) || (line.StartsWith('#') && line.Split(' ') is [_, _, var name, ..] && name.StartsWith("gateway_", StringComparison.Ordinal)));

        var (code, output, error) = await Tool.RunAsync("promtool", ["check", "metrics"], Encoding.UTF8.GetBytes(string.Join('\n', own) + "\n"));

        Assert.True(code == 0, output + error);
    }

    [Fact]
    public async Task The_alerts_are_valid_and_fire_when_they_should()
    {
        Tool.Require("promtool");
        var folder = Path.Combine(Deploy.DeployTests.Root, "deploy/prometheus");

        var rules = await Tool.RunAsync("promtool", ["test", "rules", "alerts.test.yml"], folder: folder);
        var configuration = await Tool.RunAsync("promtool", ["check", "config", "prometheus.yml"], folder: folder);

        Assert.True(rules.ExitCode == 0, rules.Output + rules.Error);
        Assert.True(configuration.ExitCode == 0, configuration.Output + configuration.Error);
    }

    private static async Task<double?> QueryAsync(HttpClient client, string query)
    {
        // 503 until it has started.
        using var response = await client.GetAsync("api/v1/query?query=" + Uri.EscapeDataString(query));
        var document = response.IsSuccessStatusCode ? JsonNode.Parse(await response.Content.ReadAsStringAsync())! : null;
        return document?["data"]!["result"]!.AsArray() is [{ } first, ..] ? double.Parse((string)first["value"]![1]!, CultureInfo.InvariantCulture) : null;
    }

    private static Task<GatewayProcess> StartAsync(ScriptedUpstream upstream)
    {
        Matrix.RequireFull();
        return GatewayProcess.StartManagedAsync(GatewayUnderTest.Configuration(("s", [upstream.Address])));
    }
}
