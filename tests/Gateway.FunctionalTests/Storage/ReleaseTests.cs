using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Gateway.FunctionalTests.Storage;

/// <summary>A stalled client's bundle closes its connections to storage, and its archive continues at the same byte.</summary>
public class ReleaseTests
{
    private const int Large = 8 << 20;
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan ReleaseAfter = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    /// <summary>Objects that could not be continued, or only at too high a cost.</summary>
    public static TheoryData<string?, string, string> Kept => new()
    {
        { null, "X-Any", "thing" },
        { "W/\"v1\"", "X-Any", "thing" },
        { "\"v1\"", "Accept-Ranges", "none" },
        { "\"v1\"", "Accept-Ranges", "None" },
    };

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task A_stalled_bundle_closes_its_connection_to_storage_and_continues_at_the_same_byte(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        var content = new ObjectContent(Large, 1, compressible: false);
        upstream.Put("/a", content);
        await using var gateway = await StartAsync(Configuration(upstream));
        await using var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?ids=s/a&{recipe}");
        await StallAsync(upstream);

        _time.Advance(ReleaseAfter - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, upstream.Answering);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await Eventually.TrueAsync(() => upstream is { Answering: 0, OpenConnections: 0 }, "the connection is closed");
        var entries = (await client.TakeRestAsync()).RequireWhole();

        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("None/None", 1, 0), (outcome.Blame, outcome.Resumes, outcome.Retries));
        var rest = upstream.Requests.Single(request => request.Header("Range") is not null);
        Assert.Equal("\"v1\"", rest.Header("If-Range"));

        // No byte was read twice, and none was skipped.
        Assert.Equal(Large, outcome.BytesIn);
        Assert.InRange(long.Parse(rest.Header("Range")!["bytes=".Length..^1], CultureInfo.InvariantCulture), 1, Large - 1);
    }

    [Theory]
    [MemberData(nameof(Kept))]
    public async Task An_object_that_cannot_be_continued_keeps_its_connection(string? etag, string header, string value)
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        var content = new ObjectContent(Large, 1, compressible: false);
        upstream.Put("/a", content, etag);
        upstream.Fail("/a", new Fault { Headers = new Dictionary<string, string> { [header] = value } });
        await using var gateway = await StartAsync(Configuration(upstream));
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");
        await StallAsync(upstream);

        await RequireKeptAsync(upstream, ReleaseAfter);
        var entries = (await client.TakeRestAsync()).RequireWhole();

        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
        Assert.Equal(0, (await gateway.RequireOneOutcomeAsync()).Resumes);
    }

    [Theory]
    [InlineData("format=tar")]
    [InlineData("format=tar.gz")]
    public async Task An_object_with_little_left_keeps_its_connection(string recipe)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", 256 << 10, seed: 1, compressible: false);
        await using var gateway = await StartAsync(Configuration(upstream, ("Upstream:LookaheadBytes", 0), ("Client:UnsentBytes", 16 << 10)));
        await using var client = await PausingClient.OpenAsync(gateway.Address, $"/bundle?ids=s/a&{recipe}");
        await Eventually.TrueAsync(() => upstream is { BodyBytes: 256 << 10, Answering: 0 }, "storage has sent everything");
        await Eventually.StandsStillAsync(() => upstream.BodyBytes, Quiet);

        _time.Advance(ReleaseAfter);
        Assert.Equal(body, (await client.TakeRestAsync()).RequireWhole()["s/a"]);

        Assert.Equal(0, (await gateway.RequireOneOutcomeAsync()).Resumes);
    }

    [Fact]
    public async Task A_file_in_a_folder_stays_open_and_is_sent_as_opened()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-release-");
        var file = Path.Combine(folder.FullName, "a");
        var content = new ObjectContent(Large, 1, compressible: false);
        await File.WriteAllBytesAsync(file, content.ToArray());
        var configuration = GatewayUnderTest.Configuration(("s", [$"file:{folder.FullName}/"]));
        await using (var gateway = await StartAsync(configuration))
        {
            await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a&format=tar");
            await client.TakeAsync(1 << 20);
            await File.WriteAllBytesAsync(file + ".new", new byte[Large]);
            File.Move(file + ".new", file, overwrite: true);
            for (var i = 0; i < 10; i++)
            {
                await client.TakeAsync(64 << 10);
                _time.Advance(ReleaseAfter);
            }

            await client.TakeRestAsync();

            Assert.Equal(("None/None", 0, Large), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes, (int)outcome.BytesIn) : default);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Zero_keeps_all_connections()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(Large, 1, compressible: false));
        await using var gateway = await StartAsync(Configuration(upstream, ("Upstream:ReleaseAfter", TimeSpan.Zero)));
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");
        await StallAsync(upstream);

        await RequireKeptAsync(upstream, TimeSpan.FromMinutes(4));
        (await client.TakeRestAsync()).RequireWhole();

        Assert.Equal(0, (await gateway.RequireOneOutcomeAsync()).Resumes);
    }

    [Theory]
    [InlineData(Protocol.Http1, "format=tar")]
    [InlineData(Protocol.Http2Tls, "format=zip")]
    public async Task Connections_of_objects_opened_ahead_are_closed_too(Protocol protocol, string recipe)
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        string[] names = ["a", "b", "c", "d"];
        var contents = names.ToDictionary(name => name, name => new ObjectContent(2 << 20, name[0], compressible: false));
        foreach (var (name, content) in contents)
        {
            upstream.Put("/" + name, content);
        }

        await using var gateway = await StartAsync(Configuration(upstream));
        await using var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?missing=abort&ids=s/a,s/b,s/c,s/d&{recipe}");
        await Eventually.TrueAsync(() => upstream.Answering == names.Length, "all are open");
        await StallAsync(upstream);

        _time.Advance(ReleaseAfter);
        await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "their connections are closed");
        var entries = (await client.TakeRestAsync()).RequireWhole();

        Assert.All(contents, pair => Assert.Equal(pair.Value.Hash(), Download.Hash(entries["s/" + pair.Key])));
        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal((names.Length, 0, 8 << 20), (outcome.Resumes, outcome.Retries, (int)outcome.BytesIn));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_large_object_that_is_read_in_parts_is_whole_whether_storage_serves_ranges_or_not(bool ignoresRanges)
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        var content = new ObjectContent(Large, 1, compressible: false);
        upstream.Put("/a", content);
        if (ignoresRanges)
        {
            upstream.Fail("/a", new Fault { IgnoreRange = true, Times = 100 });
        }

        var configuration = Configuration(upstream, ("Upstream:RangeBytes", 2 << 20));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:Metadata:Bundle.ParallelRanges", "3");
        await using var gateway = await StartAsync(configuration);
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a&format=tar");
        await StallAsync(upstream);

        _time.Advance(ReleaseAfter);
        await Eventually.TrueAsync(() => upstream is { Answering: 0, OpenConnections: <= 3 }, "every response has ended");
        var entries = (await client.TakeRestAsync()).RequireWhole();

        Assert.Equal(content.Hash(), Download.Hash(entries["s/a"]));
        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task If_storage_ignores_ranges_its_connection_is_closed_once_and_then_kept()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        var content = new ObjectContent(Large, 1, compressible: false);
        upstream.Put("/a", content);
        upstream.Fail("/a", new Fault { IgnoreRange = true, Times = 10 });
        await using var gateway = await StartAsync(Configuration(upstream));
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a&format=tar");
        await StallAsync(upstream);
        _time.Advance(ReleaseAfter);
        await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "the connection is closed");
        await client.TakeAsync(4 << 20);
        await StallAsync(upstream);

        await RequireKeptAsync(upstream, 10 * ReleaseAfter);
        await client.TakeRestAsync();

        var outcome = await gateway.RequireOneOutcomeAsync();
        Assert.Equal(("None/None", 1, 0), (outcome.Blame, outcome.Resumes, outcome.Retries));
    }

    [Fact]
    public async Task Each_release_doubles_the_time_to_the_next()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(Large, 1, compressible: false));
        await using var gateway = await StartAsync(Configuration(upstream));
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a&format=tar");
        for (var i = 0; i < 3; i++)
        {
            await StallAsync(upstream);
            var wait = (1 << i) * ReleaseAfter;
            await RequireKeptAsync(upstream, wait - TimeSpan.FromMilliseconds(1));
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "the connection is closed");
            await client.TakeAsync(2 << 20);
        }

        await client.TakeRestAsync();

        Assert.Equal(("None/None", 3, 0), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Resumes, outcome.Retries) : default);
    }

    [Theory]
    [InlineData(Protocol.Http1)]
    [InlineData(Protocol.Http2Tls)]
    public async Task An_object_that_changed_while_its_connection_was_released_cuts_the_archive(Protocol protocol)
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(Large, 1, compressible: false));
        await using var gateway = await StartAsync(Configuration(upstream, ("Upstream:Attempts", 1)));
        await using var client = await PausingClient.OpenAsync(gateway, protocol, "/bundle?ids=s/a");
        await StallAsync(upstream);
        _time.Advance(ReleaseAfter);
        await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "the connection is closed");
        upstream.Put("/a", new ObjectContent(Large, 2, compressible: false), "\"v2\"");

        Assert.True((await client.TakeRestAsync()).IsCut);

        Assert.Equal("Upstream/ObjectChanged", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task A_client_that_disconnects_after_the_release_leaves_nothing_behind()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(Large, 1, compressible: false));
        await using var gateway = await StartAsync(Configuration(upstream));
        await using (await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a"))
        {
            await StallAsync(upstream);
            _time.Advance(ReleaseAfter);
            await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "the connection is closed");
        }

        Assert.Equal("Client/ClientGone", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task Released_connections_do_not_take_a_destination_out_of_rotation()
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(Large, 1, compressible: false));
        var configuration = Configuration(upstream);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Enabled", true);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Policy", "TransportFailureRate");
        await using var gateway = await StartAsync(configuration);
        var clients = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a&format=tar")));
        await StallAsync(upstream);

        _time.Advance(ReleaseAfter);
        await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "the connections are closed");

        var destination = gateway.App.Services.GetRequiredService<IProxyStateLookup>().GetClusters().Single().Destinations["d0"];
        Assert.NotEqual(DestinationHealth.Unhealthy, destination.Health.Passive);
        await Eventually.TrueAsync(() => destination.ConcurrentRequestCount == 0, "no request counts as running");
        var downloads = await Task.WhenAll(clients.Select(client => client.TakeRestAsync()));
        Assert.All(downloads, download => download.RequireWhole());
        Assert.NotEqual(DestinationHealth.Unhealthy, destination.Health.Passive);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    private static JsonObject Configuration(ScriptedUpstream upstream, params (string Key, object Value)[] settings)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:ReleaseAfter", ReleaseAfter);
        foreach (var (key, value) in settings)
        {
            GatewayUnderTest.Set(configuration, "Bundle:" + key, value);
        }

        return configuration;
    }

    /// <summary>Waits until storage can send no more.</summary>
    private static Task<long> StallAsync(ScriptedUpstream upstream) => Eventually.StandsStillAsync(() => upstream.BodyBytes, Quiet);

    private async Task RequireKeptAsync(ScriptedUpstream upstream, TimeSpan time)
    {
        var answering = upstream.Answering;
        Assert.NotEqual(0, answering);
        _time.Advance(time);
        await StallAsync(upstream);
        Assert.Equal(answering, upstream.Answering);
    }

    private Task<GatewayUnderTest> StartAsync(JsonObject configuration) =>
        GatewayUnderTest.StartAsync(configuration, builder => builder.Services.AddSingleton<TimeProvider>(_time));
}
