using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.FunctionalTests.Storage.Stores;
using Gateway.Storage.Failures;
using Testing;

namespace Gateway.FunctionalTests.Telemetry;

/// <summary><c>/metrics</c> of the management listener, as Prometheus reads it.</summary>
public sealed partial class MetricsTests : IAsyncDisposable
{
    private readonly ScriptedUpstream _upstream = new();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Fact]
    public async Task Every_series_that_can_be_foreseen_is_0_at_the_first_scrape()
    {
        await using var gateway = await StartAsync();

        var page = await ScrapeAsync(gateway);

        foreach (var reason in FailureReason.All)
        {
            Assert.Equal(0, page.Sum("gateway_bundle_outcomes_total", ("reason", reason.Name), ("origin", reason.Origin.ToString()), ("format", "zip")));
        }

        foreach (var name in new[] { "gateway_upstream_bytes_total", "gateway_upstream_retries_total", "gateway_upstream_resumes_total", "gateway_upstream_breaker" })
        {
            Assert.Equal(0, page.Sum(name, ("source", "s"), ("destination", "d0")));
        }

        Assert.Equal(0, page.Sum("gateway_upstream_requests_total", ("result", "ok")) + page.Sum("gateway_upstream_requests_total", ("result", "failed")));
        Assert.Equal(1, page.Sum("gateway_upstream_healthy", ("source", "s"), ("destination", "d0")));
        Assert.Equal(0, page.Sum("gateway_resume_lookups_total", ("result", "hit")) + page.Sum("gateway_resume_lookups_total", ("result", "miss")));
        Assert.Equal(0, page.Sum("gateway_configuration_reloads_total", ("result", "applied")) + page.Sum("gateway_configuration_reloads_total", ("result", "refused")));
        Assert.Equal(0, page.Sum("gateway_links_created_total") + page.Sum("gateway_bundle_active") + page.Sum("gateway_bundle_queued") + page.Sum("gateway_memory_leased_bytes"));
        Assert.Equal(64, page.Sum("gateway_bundle_limit"));
        Assert.InRange(page.Sum("gateway_memory_limit_bytes"), 1 << 20, 1L << 50);
    }

    [Fact]
    public async Task A_bundle_is_measured()
    {
        _upstream.Put("/a", 300_000, seed: 1);
        _upstream.Put("/b", 500, seed: 2);
        _upstream.Fail("/a", Fault.Close(100_000));
        await using var gateway = await StartAsync();

        var archive = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a,s/b&missing=abort");
        archive.RequireWhole();
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/none&format=zip")).RequireEarly(404);
        await Eventually.TrueAsync(async () => (await ScrapeAsync(gateway)).Sum("gateway_bundle_outcomes_total") == 2, "both outcomes");
        var page = await ScrapeAsync(gateway);

        Assert.Equal(1, page.Sum("gateway_bundle_outcomes_total", ("purpose", "Archive"), ("format", "tar.gz"), ("status", "200"), ("origin", "None"), ("reason", "None")));
        Assert.Equal(1, page.Sum("gateway_bundle_outcomes_total", ("purpose", "Archive"), ("format", "zip"), ("status", "404"), ("origin", "Client"), ("reason", "ObjectsMissing")));
        Assert.Equal(300_500, page.Sum("gateway_upstream_bytes_total", ("source", "s"), ("destination", "d0")));
        Assert.Equal(1, page.Sum("gateway_upstream_resumes_total", ("source", "s"), ("destination", "d0")));
        Assert.InRange(page.Sum("gateway_upstream_requests_total", ("result", "ok")), 3, 6);
        Assert.Equal(archive.Bytes.Length, page.Sum("gateway_bundle_size_bytes_sum", ("format", "tar.gz")));
        Assert.Equal(2, page.Sum("gateway_bundle_entries_sum", ("format", "tar.gz")));
        foreach (var name in new[] { "gateway_bundle_first_byte_duration_seconds", "gateway_bundle_upstream_wait_seconds", "gateway_bundle_client_wait_seconds", "gateway_bundle_size_bytes" })
        {
            Assert.Equal(1, page.Sum(name + "_count"));
        }

        Assert.Equal(2, page.Sum("gateway_bundle_duration_seconds_count", ("purpose", "Archive")));
        Assert.True(page.Sum("gateway_bundle_compression_seconds_total") > 0);
        Assert.True(page.Sum("http_server_request_duration_seconds_count", ("http_route", "/bundle/")) >= 2);
    }

    [Fact]
    public async Task Failed_requests_and_retries_count_for_the_destination_that_failed()
    {
        _upstream.Put("/a", 1000, seed: 1);
        _upstream.Fail("/a", Fault.Answer(500), Fault.Answer(500));
        await using var gateway = await StartAsync();

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort&format=tar")).RequireWhole();
        var page = await ScrapeAsync(gateway);

        Assert.Equal((2, 2, 1), ((int)page.Sum("gateway_upstream_requests_total", ("result", "failed")), (int)page.Sum("gateway_upstream_retries_total", ("destination", "d0")), (int)page.Sum("gateway_upstream_requests_total", ("result", "ok"))));
    }

    [Fact]
    public async Task A_later_part_is_a_hit_where_a_checkpoint_is_known()
    {
        _upstream.Put("/a", new ObjectContent(40_000_000, 1, compressible: false));
        await using var gateway = await StartAsync();

        async Task GetPartAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/a");
            request.Headers.Range = new(30_000_000, null);
            Assert.Equal(HttpStatusCode.PartialContent, (await Download.SendAsync(gateway.Client, request)).Status);
        }

        await GetPartAsync();
        await GetPartAsync();
        var page = await ScrapeAsync(gateway);

        Assert.Equal((1, 1), ((int)page.Sum("gateway_resume_lookups_total", ("result", "miss")), (int)page.Sum("gateway_resume_lookups_total", ("result", "hit"))));
    }

    [Fact]
    public async Task Links_reloads_and_signatures_are_counted()
    {
        await using var store = new ScriptedS3();
        store.Put("a", 1000, seed: 1);
        var configuration = StoreGateway.Configure(store, ("Links:MaxBytes", 64 << 10), ("Links:MaxBytesPerClient", 64 << 10));
        await using var gateway = await StartAsync(configuration);
        using var created = await gateway.Client.PostAsync("/bundle/links", new FormUrlEncodedContent([new("ids", "s/a")]));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();

        var added = (JsonObject)configuration.DeepClone();
        GatewayUnderTest.Set(added, "ReverseProxy:Routes:other:ClusterId", "s");
        GatewayUnderTest.Set(added, "ReverseProxy:Routes:other:Match:Path", "/other/{**key}");
        await gateway.ReloadAsync(added);
        await Eventually.TrueAsync(async () => (await ScrapeAsync(gateway)).Sum("gateway_configuration_reloads_total", ("result", "applied")) == 1, "the reload is counted");
        GatewayUnderTest.Set(added, "ReverseProxy:Routes:other:Match:Path", "/other/{**key");
        await gateway.ReloadAsync(added);
        await Eventually.TrueAsync(async () => (await ScrapeAsync(gateway)).Sum("gateway_configuration_reloads_total", ("result", "refused")) == 1, "the refused reload is counted");

        var page = await ScrapeAsync(gateway);
        Assert.Equal(1, page.Sum("gateway_links_created_total"));
        Assert.True(page.Sum("gateway_stores_signatures_total", ("store", "s")) >= 2);
        Assert.DoesNotContain("gateway_stores_credential_age", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_destination_that_fails_too_often_has_an_open_breaker()
    {
        for (var i = 0; i < 40; i++)
        {
            _upstream.Put($"/{i}", 10, seed: i);
            _upstream.Fail($"/{i}", new Fault { Status = 502, Times = 2000 });
        }

        await using var gateway = await StartAsync();

        await Download.GetAsync(gateway.Client, $"/bundle?ids={string.Join(',', Enumerable.Range(0, 40).Select(i => $"s/{i}"))}&missing=abort");

        await Eventually.TrueAsync(async () =>
        {
            await Download.GetAsync(gateway.Client, $"/bundle?ids={string.Join(',', Enumerable.Range(0, 40).Select(i => $"s/{i}"))}&missing=fail");
            return (await ScrapeAsync(gateway)).Sum("gateway_upstream_breaker", ("source", "s"), ("destination", "d0")) == 1;
        }, "the breaker is open");
    }

    [Fact]
    public async Task No_label_contains_an_id_a_host_or_what_a_client_sent()
    {
        _upstream.Put("/secret-key", 1000, seed: 1);
        await using var gateway = await StartAsync();
        using var created = await gateway.Client.PostAsync("/bundle/links", new FormUrlEncodedContent([new("ids", "s/secret-key")]));
        var link = created.Headers.Location!.ToString();
        (await Download.GetAsync(gateway.Client, link)).RequireWhole();
        foreach (var url in new[] { "/bundle?ids=s/secret-key", "/bundle?ids=unknown/secret-key", "/s/secret-key?secret=query", "/bundle?format=secret-format", "/secret-path" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.TryAddWithoutValidation("User-Agent", "secret-agent");
            using var response = await gateway.Client.SendAsync(request);
        }

        using var odd = new HttpRequestMessage(new HttpMethod("SECRETMETHOD"), "/bundle");
        using var refused = await gateway.Client.SendAsync(odd);
        var page = await ScrapeAsync(gateway);

        Assert.DoesNotContain("secret", page.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(link.Split('/')[^1], page.Text, StringComparison.Ordinal);
        var port = new Uri(_upstream.Address).Port.ToString(CultureInfo.InvariantCulture);
        Assert.DoesNotContain(page.Labels, sample => sample.Labels.Values.Any(value => value == port || value.EndsWith(":" + port, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Metrics_are_served_on_the_management_listener_only()
    {
        await using var gateway = await StartAsync();
        await using var without = await GatewayUnderTest.StartAsync(_upstream.Address);

        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync(new Uri(gateway.Addresses[0], "/metrics"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync(new Uri(gateway.Addresses[^1], "/metrics"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await without.Client.GetAsync("/metrics")).StatusCode);
    }

    [Fact]
    public async Task Every_metric_of_the_dashboard_and_of_the_alerts_exists_and_every_alert_has_a_runbook()
    {
        var root = Deploy.DeployTests.Root;
        _upstream.Put("/a", 300_000, seed: 1);
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:Metadata:Bundle.Concurrency", "5");
        await using var gateway = await StartAsync(configuration);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole();
        var names = (await ScrapeAsync(gateway)).Names.ToHashSet(StringComparer.Ordinal);
        var alerts = await File.ReadAllTextAsync(Path.Combine(root, "deploy/prometheus/alerts.yml"), TestContext.Current.CancellationToken);
        var dashboard = await File.ReadAllTextAsync(Path.Combine(root, "deploy/grafana/gateway.json"), TestContext.Current.CancellationToken);
        var runbooks = await File.ReadAllTextAsync(Path.Combine(root, "docs/operations.md"), TestContext.Current.CancellationToken);

        Assert.All(Metric().Matches(alerts + dashboard).Select(match => match.Value).Distinct(), name => Assert.Contains(name, names));
        Assert.Equal(12, JsonNode.Parse(dashboard)!["panels"]!.AsArray().Count);
        var named = Alert().Matches(alerts).Select(match => match.Groups[1].Value).ToArray();
        Assert.Equal(8, named.Length);
        Assert.All(named, name => Assert.Contains($"### {name}\n", runbooks, StringComparison.Ordinal));
        Assert.All(named, name => Assert.Contains($"runbook: docs/operations.md#{name.ToLower(CultureInfo.InvariantCulture)}\n", alerts, StringComparison.Ordinal));
    }

    private static Task<PrometheusText> ScrapeAsync(GatewayProcess gateway) => PrometheusText.GetAsync(gateway.Client, gateway.Addresses[^1]);

    private Task<GatewayProcess> StartAsync() => StartAsync(GatewayUnderTest.Configuration(("s", [_upstream.Address])));

    private static Task<GatewayProcess> StartAsync(JsonObject configuration)
    {
        Matrix.RequireFull();
        return GatewayProcess.StartManagedAsync(configuration);
    }

    [GeneratedRegex(@"\b(gateway|http_server|process)_[a-z_]+\b(?=[\[{\s)]|$)", RegexOptions.Multiline)]
    private static partial Regex Metric();

    [GeneratedRegex(@"alert: (\w+)")]
    private static partial Regex Alert();
}
