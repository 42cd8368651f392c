using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Telemetry;

/// <summary>What the log contains about each request.</summary>
public sealed class AccessLogTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 300_000, seed: 1);
        _upstream.Put("/sub/gr%C3%BC%C3%9Fe%201", 1000, seed: 2);
        _gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], _upstream.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_bundle_is_a_line_with_the_client_the_request_and_what_was_sent()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/a&format=zip&compression=store");
        request.Headers.Range = new RangeHeaderValue(1000, null);
        var download = await Download.SendAsync(_gateway.Client, request);
        Assert.Equal(HttpStatusCode.PartialContent, download.Status);

        var fields = await FieldsAsync();

        Assert.Equal("Archive", fields["Purpose"]);
        Assert.Equal("127.0.0.1", fields["Client"]);
        Assert.Equal("GET", fields["Method"]);
        Assert.Equal("206", fields["Status"]);
        Assert.Equal("zip", fields["Format"]);
        Assert.Equal("Store", fields["Compression"]);
        Assert.Equal("bytes=1000-", fields["Range"]);
        Assert.Equal("1", fields["Entries"]);
        Assert.Equal(32, fields["TraceId"].Length);
        Assert.All(fields, field => Assert.NotEmpty(field.Value));
        Assert.All(["Error", "Source", "Key", "Id", "Destination", "UpstreamStatus", "EntryIndex"], name => Assert.DoesNotContain(name, fields.Keys));
    }

    [Theory]
    [InlineData("GET", "/bundle?ids=s/a&missing=abort", "Archive")]
    [InlineData("HEAD", "/bundle?ids=s/a", "Head")]
    [InlineData("GET", "/bundle/plan?ids=s/a", "Plan")]
    public async Task Every_endpoint_is_named_and_has_its_status(string method, string url, string purpose)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        await Download.SendAsync(_gateway.Client, request);

        var fields = await FieldsAsync();

        Assert.Equal((purpose, method, "200"), (fields["Purpose"], fields["Method"], fields["Status"]));
        Assert.DoesNotContain("Range", fields.Keys);
    }

    [Fact]
    public async Task A_failure_names_source_key_destination_and_what_storage_sent()
    {
        _upstream.Fail("/sub/gr%C3%BC%C3%9Fe%201", Fault.Answer(403));
        var download = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/sub/gr%C3%BC%C3%9Fe%201");
        download.RequireEarly(502);

        var fields = await FieldsAsync();

        Assert.Equal("502", fields["Status"]);
        Assert.Equal("1", fields["EntryIndex"]);
        Assert.Equal("s", fields["Source"]);
        Assert.Equal("sub/grüße 1", fields["Key"]);
        Assert.Equal("d0", fields["Destination"]);
        Assert.Equal("403", fields["UpstreamStatus"]);
        Assert.NotEmpty(fields["Error"]);

        // The trace id lets client and operator refer to the same request.
        Assert.Contains(fields["TraceId"], JsonNode.Parse(download.Bytes)!["traceId"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/bundle", "GET")]
    [InlineData("/bundle/plan", "HEAD")]
    public async Task Every_object_that_storage_rejects_is_listed(string path, string method)
    {
        _upstream.Put("/b", 100, seed: 1);
        _upstream.Put("/c", 100, seed: 1);
        foreach (var key in new[] { "/b", "/c" })
        {
            // If HEAD is rejected, GET decides.
            _upstream.Fail(key, [.. method == "HEAD" ? [Fault.Answer(403) with { Method = method }] : Array.Empty<Fault>(), Fault.Answer(403)]);
        }

        var download = await Download.GetAsync(_gateway.Client, path + "?ids=s/b,s/a,s/c");

        download.RequireEarly(502);
        Assert.Equal([0, 2], JsonNode.Parse(download.Bytes)!["errors"]!.AsArray().Select(error => error!["index"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_broken_body_names_its_destination()
    {
        _upstream.Put("/b", new ObjectContent(3_000_000, 1, compressible: false), etag: null);
        _upstream.Fail("/b", Fault.Reset(2_000_000) with { Times = 3 });
        (await Download.GetAsync(_gateway.Client, "/bundle?ids=s/b")).RequireCut();

        var fields = await FieldsAsync();

        Assert.Equal(("s", "b", "d0", "200"), (fields["Source"], fields["Key"], fields["Destination"], fields["UpstreamStatus"]));
        Assert.Equal("200", fields["Status"]);
    }

    [Fact]
    public async Task An_invalid_request_names_the_id()
    {
        (await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,none/x%E2%80%8By")).RequireEarly(400);

        var fields = await FieldsAsync();

        Assert.Equal(("1", "none/x\\u{200B}y", "400"), (fields["EntryIndex"], fields["Id"], fields["Status"]));
        Assert.DoesNotContain("Source", fields.Keys);
    }

    [Fact]
    public async Task A_client_that_disconnects_before_the_headers_has_no_status()
    {
        _upstream.Put("/small", 1000, seed: 3);
        _upstream.Fail("/small", Fault.Stall(0) with { Times = 9 });
        using var leave = new CancellationTokenSource();
        var download = Download.GetAsync(_gateway.Client, "/bundle?ids=s/small", leave.Token);
        await Eventually.TrueAsync(() => _upstream.Requests.Count > 0, "storage gets the request");
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => download);

        var fields = await FieldsAsync();

        Assert.Equal(("Client", "ClientGone"), (fields["Origin"], fields["Reason"]));
        Assert.DoesNotContain("Status", fields.Keys);
    }

    [Fact]
    public async Task A_bundle_that_the_drain_aborts_before_its_first_byte_is_reported_so()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        _upstream.Put("/small", 1000, seed: 3);
        _upstream.Fail("/small", Fault.Stall(0) with { Times = 9 });
        var download = Download.GetAsync(gateway.Client, "/bundle?ids=s/small");
        await Eventually.TrueAsync(() => _upstream.Requests.Count > 0, "storage gets the request");

        var stop = gateway.App.StopAsync(TestContext.Current.CancellationToken);
        var response = await download;
        await stop;

        response.RequireEarly(503);
        var fields = await FieldsAsync(gateway);
        Assert.Equal(("Gateway", "Draining", "503"), (fields["Origin"], fields["Reason"], fields["Status"]));
    }

    [Fact]
    public async Task The_text_of_the_line_has_one_word_for_each_field()
    {
        await Download.GetAsync(_gateway.Client, "/bundle?ids=s/none");
        await _gateway.RequireOneOutcomeAsync();

        var line = Assert.Single(_gateway.Outcomes.Lines, line => line.Contains("Purpose=", StringComparison.Ordinal));

        Assert.Contains("Purpose=Archive Origin=Client Reason=ObjectsMissing TraceId=", line, StringComparison.Ordinal);
        Assert.Contains(" Method=GET Status=404 Format=tar.gz ", line, StringComparison.Ordinal);
        Assert.Contains(" Source=s Key=none Error=\"Some objects are missing.\"", line, StringComparison.Ordinal);
    }

    private Task<Dictionary<string, string>> FieldsAsync() => FieldsAsync(_gateway);

    private static async Task<Dictionary<string, string>> FieldsAsync(GatewayUnderTest gateway) =>
        (await gateway.RequireOneOutcomeAsync()).Fields.ToDictionary(field => field.Key, field => Convert.ToString(field.Value, System.Globalization.CultureInfo.InvariantCulture)!);
}
