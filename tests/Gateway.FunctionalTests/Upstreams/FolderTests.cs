using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Upstreams;

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
    public async Task A_range_of_another_version_is_the_whole_file()
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
    public async Task Neither_a_pipe_nor_an_empty_file_is_waited_for()
    {
        await Tool.RunAsync("mkfifo", [Path.Combine(_objects, "pipe")]);
        File.WriteAllText(Path.Combine(_objects, "empty"), "");
        await using var gateway = await StartAsync();

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/pipe,s/empty")).RequireWhole();

        Assert.All(entries.Values, Assert.Empty);
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

        Assert.Equal("Upstream/Changed", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    private Task<GatewayUnderTest> StartAsync() => GatewayUnderTest.StartAsync("file:" + _objects + "/");
}
