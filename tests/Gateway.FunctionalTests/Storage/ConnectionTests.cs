using Gateway.Storage.Connections;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Kept connections to storage that are dead, and connections that cannot be established.</summary>
public class ConnectionTests
{
    private static readonly (string, object)[] Quick = [("Upstream:FirstByteTimeout", "00:00:01")];

    private static string Ids(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"s/{i}"));

    private static ScriptedUpstream Storage(int objects, int size = 1000, (int, Ending)? limit = null)
    {
        var upstream = new ScriptedUpstream { ConnectionLimit = limit };
        for (var i = 0; i < objects; i++)
        {
            upstream.Put($"/{i}", size, seed: i + 1);
        }

        return upstream;
    }

    [Theory]
    [InlineData(Ending.Reset, "fail")]
    [InlineData(Ending.Reset, "abort")]
    [InlineData(Ending.Close, "fail")]
    [InlineData(Ending.Close, "skip")]
    public async Task Row_34_Kept_connections_that_died_cost_no_attempt(Ending death, string missing)
    {
        await using var upstream = Storage(256);
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], upstream.Address);
        (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(256)}&missing={missing}")).RequireWhole();
        await gateway.Outcomes.NextAsync();

        for (var round = 0; round < 5; round++)
        {
            upstream.KillConnections(death);

            Assert.Equal(40, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(40)}&missing={missing}")).RequireWhole().Count);

            Assert.Equal(("None/None", 0), await gateway.Outcomes.NextAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
        }
    }

    [Theory]
    [InlineData(Ending.Reset)]
    [InlineData(Ending.Close)]
    public async Task Row_34_Storage_that_closes_every_connection_at_its_second_request_serves_a_bundle_of_300(Ending ending)
    {
        await using var upstream = Storage(300, limit: (1, ending));
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        Assert.Equal(300, (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(300)}")).RequireWhole().Count);
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task Row_34_A_direct_request_over_a_dead_connection_is_retried_if_that_is_safe()
    {
        await using var upstream = Storage(1);
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        (await gateway.Client.GetAsync("/s/0")).EnsureSuccessStatusCode();
        upstream.KillConnections(Ending.Reset);

        (await gateway.Client.GetAsync("/s/0")).EnsureSuccessStatusCode();

        (await gateway.Client.GetAsync("/s/0")).EnsureSuccessStatusCode();
        upstream.KillConnections(Ending.Reset);
        Assert.Equal(502, (int)(await gateway.Client.PostAsync("/s/0", new StringContent("not safe"))).StatusCode);
        Assert.DoesNotContain(upstream.Requests, request => request.Method == "POST");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Row_34_A_body_that_is_being_read_outlives_the_replacement_of_its_pool(bool isHttp2)
    {
        await using var nginx = await NginxServer.StartAsync("", isHttp2 ? "http2" : "");
        var content = new ObjectContent(64 << 20, 1, compressible: false);
        await File.WriteAllBytesAsync(Path.Combine(nginx.Root, "large"), content.ToArray());
        await File.WriteAllBytesAsync(Path.Combine(nginx.Root, "small"), [1]);
        var time = new FakeTimeProvider();
        using var pools = new HttpMessageInvoker(new ConnectionPools(new SocketsHttpHandler(), () => new SocketsHttpHandler(), time));
        using var large = await pools.SendAsync(Request("large"), CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(1));
        var use = new ConnectionUse(nginx.Address);
        (await pools.SendAsync(Request("small", use), CancellationToken.None)).Dispose();
        use.NeedsNewConnection = true;
        (await pools.SendAsync(Request("small", use), CancellationToken.None)).Dispose();
        var other = new ConnectionUse(nginx.Address);
        (await pools.SendAsync(Request("small", other), CancellationToken.None)).Dispose();

        Assert.NotSame(use.Pool, other.Pool);
        Assert.Equal(content.Hash(), Download.Hash(await large.Content.ReadAsByteArrayAsync()));

        HttpRequestMessage Request(string path, ConnectionUse? use = null)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, nginx.Address + path) { Version = new(isHttp2 ? 2 : 1, isHttp2 ? 0 : 1), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            request.Options.Set(ConnectionUse.Key, use ?? new ConnectionUse(nginx.Address));
            return request;
        }
    }

    [Fact]
    public async Task Row_34_An_object_that_always_closes_its_connection_costs_no_other_connections()
    {
        await using var upstream = Storage(100);
        upstream.Fail("/bad", Fault.Reset(-1) with { Times = 1000 });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(100)}")).RequireWhole();
        var (before, open) = (upstream.Accepted, upstream.OpenConnections);

        for (var i = 0; i < 10; i++)
        {
            (await Download.GetAsync(gateway.Client, "/bundle?ids=s/bad")).RequireEarly(502);
            (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(100)}")).RequireWhole();
        }

        // Four attempts, each on a kept connection and on a separate one, cost eight connections. In addition, the pool grows to the number of
        // concurrent requests.
        Assert.InRange(upstream.Accepted - before, 10, (10 * 8) + 100 - open);
    }

    [Fact]
    public async Task Row_34_Kept_connections_that_are_silent_cost_one_timeout_and_no_bundle()
    {
        await using var upstream = Storage(40);
        await using var gateway = await GatewayUnderTest.StartAsync([.. Quick, ("Upstream:Attempts", 1)], upstream.Address);
        (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(40)}")).RequireWhole();
        upstream.KillConnections(Ending.Stall);

        var started = TimeProvider.System.GetTimestamp();
        (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(40)}")).RequireWhole();
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0.9, 10);

        // The pool was replaced.
        started = TimeProvider.System.GetTimestamp();
        (await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(40)}")).RequireWhole();
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 0.9);
    }

    [Theory]
    [InlineData("http://no-such-host.invalid/", "NameNotFound")]
    [InlineData("plain", "TlsFailed")]
    [InlineData("untrusted", "CertificateNotTrusted")]
    [InlineData("refused", "ConnectionRefused")]
    public async Task Rows_1_and_2_A_failed_connection_is_reported_by_its_kind_and_without_addresses(string address, string reason)
    {
        await using var plain = new ScriptedUpstream();
        await using var tls = await GatewayUnderTest.StartAsync(plain.Address);
        using var closed = new ClosedPort();
        var destination = address switch
        {
            "plain" => $"https://127.0.0.1:{tls.Address.Port}/",
            "untrusted" => tls.AddressOf(Protocol.Http1Tls).ToString(),
            "refused" => closed.Address,
            _ => address,
        };
        await using var gateway = await GatewayUnderTest.StartAsync([], destination);

        var download = await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(5)}");

        download.RequireEarly(502);
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal($"Upstream/{reason}", outcome.Blame);
        Assert.Equal(reason == "ConnectionRefused", outcome.Retries > 0);
        var text = System.Text.Encoding.UTF8.GetString(download.Bytes);
        Assert.DoesNotContain($":{new Uri(destination).Port}", text, StringComparison.Ordinal);
        Assert.DoesNotContain("invalid/", text, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(20)]
    public async Task HTTP2_storage_that_closes_connections_after_a_few_requests_serves_every_object(int requests)
    {
        await using var nginx = await NginxServer.StartAsync("http2_max_concurrent_streams 8;", "http2", requests);
        for (var i = 0; i < 200; i++)
        {
            await File.WriteAllBytesAsync(Path.Combine(nginx.Root, $"{i}"), new ObjectContent(2000, i).ToArray());
        }

        var configuration = GatewayUnderTest.Configuration(("s", [nginx.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HttpRequest:Version", "2");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HttpRequest:VersionPolicy", "RequestVersionExact");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var download = await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(200)}");
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.True(outcome.Exception is null, outcome.Exception?.ToString());
        Assert.Equal(200, download.RequireWhole().Count);
        TestContext.Current.SendDiagnosticMessage("{0} retries", outcome.Retries);
        Assert.Equal("None/None", outcome.Blame);
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(2, 100)]
    [InlineData(100, 2)]
    [InlineData(100, 5)]
    [InlineData(3, 3)]
    public async Task HTTP2_storage_that_allows_few_streams_or_refuses_some_serves_every_object(int streams, int refusedOneIn)
    {
        const int RefusedStream = 7;
        var requests = 0;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.Limits.Http2.MaxStreamsPerConnection = streams;
            server.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        await using var storage = builder.Build();
        storage.Run(async context =>
        {
            if (Interlocked.Increment(ref requests) % refusedOneIn == 0)
            {
                context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(RefusedStream);
                return;
            }

            var body = new ObjectContent(2000, int.Parse(context.Request.Path.Value![1..], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
            context.Response.ContentLength = body.Length;
            context.Response.Headers.ETag = $"\"{context.Request.Path}\"";
            await context.Response.Body.WriteAsync(body);
        });
        await storage.StartAsync(TestContext.Current.CancellationToken);
        var configuration = GatewayUnderTest.Configuration(("s", [storage.Urls.Single()]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HttpRequest:Version", "2");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HttpRequest:VersionPolicy", "RequestVersionExact");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        foreach (var missing in new[] { "fail", "abort" })
        {
            var download = await Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(200)}&missing={missing}");

            var outcome = await gateway.Outcomes.NextAsync();
            Assert.Equal(("None/None", 0), (outcome.Blame, outcome.Retries));
            Assert.Equal(200, download.RequireWhole().Count);
        }
    }

    [Theory]
    [InlineData(502)]
    [InlineData(504)]
    [InlineData(null)]
    public async Task Row_35_One_broken_object_does_not_block_its_storage(int? status)
    {
        await using var upstream = Storage(25);
        upstream.Fail("/bad", (status is { } code ? Fault.Answer(code) : Fault.Close(-1)) with { Times = 10_000 });
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        configuration["ReverseProxy"]!["Clusters"]!["s"]!["HealthCheck"] = new System.Text.Json.Nodes.JsonObject
        {
            ["Passive"] = new System.Text.Json.Nodes.JsonObject { ["Enabled"] = true, ["Policy"] = "TransportFailureRate", ["ReactivationPeriod"] = "00:01:00" },
        };
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        for (var i = 0; i < 10; i++)
        {
            var bad = Enumerable.Range(0, 3).Select(_ => Download.GetAsync(gateway.Client, "/bundle?ids=s/bad")).ToArray();
            await gateway.Client.GetAsync("/s/bad");
            var good = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Download.GetAsync(gateway.Client, $"/bundle?ids={Ids(25)}")));

            Assert.All(good, download => download.RequireWhole());
            Assert.All(await Task.WhenAll(bad), download => download.RequireEarly(status == 504 ? 504 : 502));
        }

        Assert.DoesNotContain(gateway.Outcomes.All, outcome => outcome.Blame.EndsWith("CircuitOpen", StringComparison.Ordinal));
    }
}
