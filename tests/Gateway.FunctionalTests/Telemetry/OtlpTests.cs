using System.Text;
using Testing;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;

namespace Gateway.FunctionalTests.Telemetry;

/// <summary>A stand-in for an OTLP collector (HTTP with Protocol Buffers) receives what the standard variables ask for.</summary>
public sealed class OtlpTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private readonly WireMockServer _collector = WireMockServer.Start();

    public ValueTask InitializeAsync()
    {
        _upstream.Put("/secret-key", 300_000, seed: 1);
        _upstream.Fail("/secret-key", Fault.Answer(500));
        _collector.Given(Request.Create().UsingPost()).RespondWith(Response.Create().WithHeader("Content-Type", "application/x-protobuf"));
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        _collector.Dispose();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_collector_receives_metrics_traces_and_logs()
    {
        Matrix.RequireFull();
        await using var gateway = await StartAsync();

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/secret-key&missing=abort")).RequireWhole();

        await Eventually.TrueAsync(() => Received("/v1/metrics").Contains("gateway.bundle.outcomes", StringComparison.Ordinal), "metrics");
        await Eventually.TrueAsync(() => Received("/v1/traces").Contains("bundle archive", StringComparison.Ordinal), "traces");
        await Eventually.TrueAsync(() => Received("/v1/logs").Contains("Purpose=Archive", StringComparison.Ordinal), "logs");
        var traces = Received("/v1/traces");
        Assert.Contains("object", traces, StringComparison.Ordinal);
        Assert.Contains("attempt failed", traces, StringComparison.Ordinal);
        Assert.Contains("gateway.source", traces, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-key", traces + Received("/v1/metrics"), StringComparison.Ordinal);
        Assert.Contains("my-gateway", traces, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_client_s_trace_is_continued_only_if_that_is_configured(bool accepts)
    {
        Matrix.RequireFull();
        byte[] trace = [0xAB, 0xCD, 0xEF, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x01, 0x23, 0x45, 0x67, 0x89];
        await using var gateway = await StartAsync(("Bundle:Client:AcceptTraceContext", accepts), ("Bundle:Upstream:PropagateTraceContext", accepts));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/secret-key&missing=abort");
        request.Headers.TryAddWithoutValidation("traceparent", $"00-{Convert.ToHexStringLower(trace)}-00f067aa0ba902b7-01");
        request.Headers.TryAddWithoutValidation("tracestate", "vendor=private");
        request.Headers.TryAddWithoutValidation("baggage", "user=private");

        (await Download.SendAsync(gateway.Client, request)).RequireWhole();

        await Eventually.TrueAsync(() => Received("/v1/traces").Contains("bundle archive", StringComparison.Ordinal), "traces");

        // The id is in the spans, or only in a link of the first one.
        var sent = _upstream.Requests.Select(at => at.Header("traceparent")).ToArray();
        Assert.Equal(accepts, sent.All(header => header?.Contains(Convert.ToHexStringLower(trace), StringComparison.Ordinal) is true));
        Assert.Equal(!accepts, sent.All(header => header is null));
        Assert.All(_upstream.Requests, at => Assert.Null(at.Header("baggage")));
        var count = Occurrences(Received("/v1/traces"), Encoding.Latin1.GetString(trace));
        Assert.True(accepts ? count >= 2 : count == 1, $"{count}");
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    [InlineData("OTEL_METRICS_EXPORTER", "none")]
    public async Task What_is_turned_off_is_not_sent(string name, string value)
    {
        Matrix.RequireFull();
        await using var gateway = await StartAsync([(name, value)]);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/secret-key&missing=abort")).RequireWhole();

        if (name == "OTEL_METRICS_EXPORTER")
        {
            await Eventually.TrueAsync(() => Received("/v1/traces").Length > 0, "traces");
            await Eventually.TrueAsync(() => Received("/v1/logs").Length > 0, "logs");
        }

        Assert.Equal("", Received("/v1/metrics"));
    }

    [Fact]
    public async Task An_exporter_that_is_not_supported_ends_the_start()
    {
        await using var gateway = await StartProcessAsync([("OTEL_TRACES_EXPORTER", "zipkin")]);
        await gateway.Process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, gateway.Process.ExitCode);
        await Eventually.TrueAsync(() => gateway.Output.Contains("OTEL_TRACES_EXPORTER: is neither otlp nor none"), "the error is printed");
    }

    private static int Occurrences(string text, string part) => (text.Length - text.Replace(part, "", StringComparison.Ordinal).Length) / part.Length;

    /// <summary>Everything that was sent to a path.</summary>
    private string Received(string path) =>
        string.Concat(_collector.LogEntries.Where(entry => entry.RequestMessage!.Path == path).Select(entry => Encoding.Latin1.GetString(entry.RequestMessage!.BodyAsBytes ?? [])));

    private Task<GatewayProcess> StartAsync(params (string Key, object Value)[] settings) => StartProcessAsync([], settings);

    private Task<GatewayProcess> StartAsync((string Name, string Value)[] variables) => StartProcessAsync(variables);

    private Task<GatewayProcess> StartProcessAsync((string Name, string Value)[] variables, params (string Key, object Value)[] settings)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        foreach (var (key, value) in settings)
        {
            GatewayUnderTest.Set(configuration, key, value);
        }

        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _collector.Url!,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "my-gateway",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "300",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "300",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "300",
        };
        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        return GatewayProcess.StartAsync(configuration, variables: environment);
    }
}
