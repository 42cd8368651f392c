using System.Net;
using System.Net.Sockets;
using Gateway.Storage.Stores.Folder;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Gateway.FunctionalTests.Storage;

public sealed class FolderTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("gateway-folder-");
    private readonly string _objects;

    public FolderTests()
    {
        _objects = _root.CreateSubdirectory("objects").FullName;
        File.WriteAllText(Path.Combine(_root.FullName, "secret.txt"), "secret");
        Directory.CreateDirectory(Path.Combine(_objects, "sub"));
        File.WriteAllText(Path.Combine(_objects, "sub", "grüße 1.txt"), "hello");
        File.WriteAllText(Path.Combine(_objects, "plain.txt"), "0123456789");
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task Files_are_bundled_by_their_paths()
    {
        await using var gateway = await StartAsync();

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/plain.txt,s/sub/gr%C3%BC%C3%9Fe%201.txt")).RequireWhole();

        Assert.Equal("0123456789"u8.ToArray(), entries["s/plain.txt"]);
        Assert.Equal("hello"u8.ToArray(), entries["s/sub/grüße 1.txt"]);
    }

    [Theory]
    [InlineData("bytes=2-4", 206, "234", "bytes 2-4/10")]
    [InlineData("bytes=7-", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-3", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-30", 206, "0123456789", "bytes 0-9/10")]
    [InlineData("bytes=10-", 416, "", "bytes */10")]
    [InlineData("bytes=0-1,4-5", 200, "0123456789", null)]
    public async Task Single_ranges_are_served(string range, int status, string body, string? contentRange)
    {
        await using var gateway = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/s/plain.txt");
        request.Headers.TryAddWithoutValidation("Range", range);

        using var response = await gateway.Client.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsStringAsync());
        Assert.Equal(contentRange, response.Content.Headers.ContentRange?.ToString());
    }

    [Fact]
    public async Task A_range_of_another_version_returns_the_whole_file()
    {
        await using var gateway = await StartAsync();
        using var head = await gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/s/plain.txt"));
        var etag = head.Headers.ETag!;

        Assert.False(etag.IsWeak);
        Assert.Equal(10, head.Content.Headers.ContentLength);
        Assert.NotNull(head.Content.Headers.LastModified);
        foreach (var (condition, status) in new[] { (etag.ToString(), HttpStatusCode.PartialContent), ("\"other\"", HttpStatusCode.OK) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/s/plain.txt");
            request.Headers.TryAddWithoutValidation("Range", "bytes=5-");
            request.Headers.TryAddWithoutValidation("If-Range", condition);
            Assert.Equal(status, (await gateway.Client.SendAsync(request)).StatusCode);
        }
    }

    [Fact]
    public async Task Hostile_19_A_link_that_leaves_the_folder_is_not_followed()
    {
        File.CreateSymbolicLink(Path.Combine(_objects, "out.txt"), Path.Combine(_root.FullName, "secret.txt"));
        File.CreateSymbolicLink(Path.Combine(_objects, "relative.txt"), "../secret.txt");
        Directory.CreateSymbolicLink(Path.Combine(_objects, "up"), _root.FullName);
        File.CreateSymbolicLink(Path.Combine(_objects, "twostep.txt"), "up/secret.txt");
        File.CreateSymbolicLink(Path.Combine(_objects, "circle"), "circle");
        File.CreateSymbolicLink(Path.Combine(_objects, "in.txt"), "sub/../sub/link.txt");
        File.CreateSymbolicLink(Path.Combine(_objects, "sub", "link.txt"), Path.Combine(_objects, "plain.txt"));
        await using var gateway = await StartAsync();

        foreach (var key in new[] { "out.txt", "relative.txt", "up/secret.txt", "twostep.txt", "circle" })
        {
            (await Download.GetAsync(gateway.Client, $"/bundle?ids=s/{key}")).RequireEarly(404);
            Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync($"/s/{key}")).StatusCode);
        }

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/in.txt")).RequireWhole();
    }

    [Fact]
    public async Task An_empty_file_is_an_empty_entry()
    {
        File.WriteAllText(Path.Combine(_objects, "empty"), "");
        await using var gateway = await StartAsync();

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/empty")).RequireWhole();

        Assert.All(entries.Values, Assert.Empty);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/s/empty")).StatusCode);
    }

    [Fact]
    public async Task A_pipe_or_a_socket_in_a_folder_is_404()
    {
        await Tool.RunAsync("mkfifo", [Path.Combine(_objects, "pipe")]);
        File.CreateSymbolicLink(Path.Combine(_objects, "linked"), "pipe");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_objects, "socket")));
        await using var gateway = await StartAsync();

        foreach (var key in new[] { "pipe", "linked", "socket" })
        {
            (await Download.GetAsync(gateway.Client, $"/bundle?ids=s/plain.txt,s/{key}")).RequireEarly(404);
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
            {
                using var request = new HttpRequestMessage(method, $"/s/{key}");
                Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.SendAsync(request)).StatusCode);
            }
        }
    }

    [Fact]
    public async Task A_request_for_a_pipe_does_not_disturb_its_writer()
    {
        var pipe = Path.Combine(_objects, "pipe");
        await Tool.RunAsync("mkfifo", [pipe]);
        await using var gateway = await StartAsync();
        var writer = Tool.RunAsync("sh", ["-c", $"printf hello > '{pipe}'"]);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/s/pipe")).StatusCode);
        }

        Assert.Equal("hello", (await Tool.RunAsync("cat", [pipe])).Output);
        await writer;
    }

    [Fact]
    public async Task A_name_that_is_swapped_for_a_pipe_or_a_link_while_it_is_opened_never_leads_there()
    {
        string[] others = [Path.Combine(_objects, "pipe"), Path.Combine(_objects, "link"), Path.Combine(_objects, "file")];
        var name = Path.Combine(_objects, "swapped");
        await Tool.RunAsync("mkfifo", [others[0]]);
        File.CreateSymbolicLink(others[1], Path.Combine(_root.FullName, "secret.txt"));
        File.WriteAllText(others[2], "0123456789");
        using var stop = new CancellationTokenSource();
        var swapping = Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    File.Move(others[i % 3], name);
                    File.Move(name, others[i % 3]);
                }
            },
            TaskCreationOptions.LongRunning);

        var opened = 0;
        for (var i = 0; i < 200_000 && opened < 100; i++)
        {
            using var file = FolderFile.TryOpen(_objects, ["swapped"]);
            Assert.True(file is null or { Length: 10 });
            opened += file is null ? 0 : 1;
        }

        await stop.CancelAsync();
        await swapping;
        Assert.True(opened > 0);
    }

    [Fact]
    public async Task A_folder_below_a_link_is_served()
    {
        Directory.CreateSymbolicLink(Path.Combine(_root.FullName, "way"), _root.FullName);
        await using var gateway = await GatewayUnderTest.StartAsync("file:" + Path.Combine(_root.FullName, "way", "objects") + "/");

        Assert.Equal("0123456789", await gateway.Client.GetStringAsync("/s/plain.txt"));
    }

    [Fact]
    public async Task A_key_that_a_file_system_reads_differently_from_routing_is_not_found()
    {
        File.WriteAllText(Path.Combine(_objects, "sub", "inner.txt"), "0123456789");
        await using var gateway = await StartAsync();
        string[] targets =
        [
            "/s//plain.txt",
            "/s/plain.txt/",
            "/s/plain.txt//",
            "/s/plain.txt/.",
            "/s/sub//inner.txt",
            "/s///sub/inner.txt",
            "/s/sub/inner.txt/",
            "/s/%2Fplain.txt",
            "/s/sub%2Finner.txt",
            "/s/sub%2F%2Finner.txt",
            "/s/sub%252Finner.txt",
            "/s/s%2575b/inner.txt",
            "/s/%252e/plain.txt",
            "/s/sub/%252e%252e/plain.txt",
            "/s/sub\\inner.txt",
            "/s/sub%5Cinner.txt",
            "/s/sub%255Cinner.txt",
            "/s/plain.txt%00",
            "/s/plain.txt%2500",
            "/s/plain.txt;x",
            "/s/..;/objects/plain.txt",
            "/s/sub/..;/plain.txt",
            "/s/%EF%BC%8E/plain.txt",
            "/s/",
            "/s",
            "http://GATEWAY/s//plain.txt",
            "http://GATEWAY/s/x/..%2fplain.txt",
            "http://GATEWAY/s/.%2fplain.txt",
            "http://GATEWAY/s/sub%2Finner.txt%2F",
        ];

        foreach (var target in targets)
        {
            foreach (var form in new[] { "-i", "-I" })
            {
                var answer = await Tool.RunAsync("curl", [
                    "-s", form, "--path-as-is", "--request-target", target.Replace("GATEWAY", gateway.Address.Authority, StringComparison.Ordinal), gateway.Address.ToString()]);

                Assert.True(
                    (answer.Output.StartsWith("HTTP/1.1 404 ", StringComparison.Ordinal) || answer.Output.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal))
                    && !answer.Output.Contains("0123456789", StringComparison.Ordinal),
                    $"{target}: {answer.Output}");
            }
        }
    }

    [Fact]
    public async Task A_file_with_any_other_name_is_found()
    {
        await using var gateway = await StartAsync();

        foreach (var key in new[] { "100%25.txt", "a%20b%3F%23%2B.txt", "a%3Bb.txt", "...", "a%3A%40%26%3D%24%2C%21%27%28%29%2A.txt", "%F0%9F%98%80" })
        {
            File.WriteAllText(Path.Combine(_objects, Uri.UnescapeDataString(key)), key);
            Assert.Equal(key, await gateway.Client.GetStringAsync($"/s/{key}?x=y"));
        }
    }

    [Fact]
    public async Task A_key_is_found_in_a_folder_whose_name_needs_escapes()
    {
        var folder = _root.CreateSubdirectory("grüße 100% #1").FullName;
        File.WriteAllText(Path.Combine(folder, "a b"), "0123456789");
        await using var gateway = await GatewayUnderTest.StartAsync("file:" + Uri.EscapeDataString(folder).Replace("%2F", "/", StringComparison.Ordinal) + "/");

        Assert.Equal("0123456789", await gateway.Client.GetStringAsync("/s/a%20b"));
    }

    [Fact]
    public async Task A_folder_passes_active_health_checks()
    {
        var configuration = GatewayUnderTest.Configuration(("s", ["file:" + _objects + "/"]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Active:Enabled", true);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Active:Path", "/");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        var cluster = gateway.App.Services.GetRequiredService<IProxyStateLookup>().GetClusters().Single();

        await Eventually.TrueAsync(() => cluster.Destinations.Values.Single().Health.Active == DestinationHealth.Healthy, "the probe");

        Assert.Equal("0123456789", await gateway.Client.GetStringAsync("/s/plain.txt"));
    }

    [Theory]
    [InlineData("/s/../secret.txt")]
    [InlineData("/s/%2e%2e/secret.txt")]
    [InlineData("/s/..%2fsecret.txt")]
    [InlineData("/s/sub/..%2f..%2fsecret.txt")]
    [InlineData("/s/%252e%252e/secret.txt")]
    [InlineData("/s//etc/hostname")]
    [InlineData("/s/sub")]
    public async Task Direct_requests_do_not_leave_the_folder(string path)
    {
        await using var gateway = await StartAsync();

        var answer = await Tool.RunAsync("curl", ["-s", "--path-as-is", "-w", "\n%{http_code}", gateway.Address.ToString().TrimEnd('/') + path]);

        Assert.DoesNotContain("secret", answer.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\n200", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_written_to_while_it_is_sent_does_not_look_whole()
    {
        var path = Path.Combine(_objects, "large.bin");
        await File.WriteAllBytesAsync(path, new ObjectContent(64 << 20, 1, compressible: false).ToArray());
        await using var gateway = await StartAsync();
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/large.bin");
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = 60 << 20;
            await file.WriteAsync(new byte[100]);
        }

        (await client.TakeRestAsync()).RequireCut();

        Assert.Equal("Upstream/ObjectChanged", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    private Task<GatewayUnderTest> StartAsync() => GatewayUnderTest.StartAsync("file:" + _objects + "/");
}
