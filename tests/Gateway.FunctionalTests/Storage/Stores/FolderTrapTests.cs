using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>What a folder of a file system can contain, when everything in it is requested.</summary>
public sealed class FolderTrapTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("gateway-traps-");
    private readonly string _objects;

    public FolderTrapTests()
    {
        _objects = _root.CreateSubdirectory("objects").FullName;
        File.WriteAllText(Path.Combine(_root.FullName, "secret.txt"), "secret");
        Write("plain", "sub/inner");
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task Hostile_19_Links_that_leave_the_folder_loops_and_special_files_are_not_in_it()
    {
        Write(".hidden", ".git/config");
        File.CreateSymbolicLink(PathOf("out.txt"), Path.Combine(_root.FullName, "secret.txt"));
        File.CreateSymbolicLink(PathOf("relative.txt"), "../secret.txt");
        File.CreateSymbolicLink(PathOf("broken"), "nowhere");
        File.CreateSymbolicLink(PathOf("circle"), "circle");
        File.CreateSymbolicLink(PathOf("device"), "/dev/zero");
        Directory.CreateSymbolicLink(PathOf("up"), _root.FullName);
        Directory.CreateSymbolicLink(PathOf("sub/loop"), _objects);
        Directory.CreateSymbolicLink(PathOf("sub/self"), ".");
        File.CreateSymbolicLink(PathOf("link.txt"), "sub/inner");
        Directory.CreateSymbolicLink(PathOf("linked"), "sub");
        await Tool.RunAsync("mkfifo", [PathOf("pipe")]);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(PathOf("socket")));
        await using var gateway = await StartAsync();

        var archive = await Download.GetAsync(gateway.Client, "/bundle?ids=s/&format=tar&missing=abort");
        var list = JsonNode.Parse(await gateway.Client.GetStringAsync("/bundle/list?id=s/"))!;

        Assert.Equal(["s/.git/config", "s/.hidden", "s/link.txt", "s/linked/inner", "s/plain", "s/sub/inner"], archive.RequireWhole().Keys);
        Assert.Equal([".hidden", "link.txt", "plain"], list["objects"]!.AsArray().Select(listed => (string)listed!["name"]!));
        Assert.Equal([".git", "linked", "sub"], list["folders"]!.AsArray().Select(folder => (string)folder!["name"]!));
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/up/")).RequireEarly(404);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/plain/")).RequireEarly(404);
        (await Download.GetAsync(gateway.Client, "/bundle/list?id=s/up/")).RequireEarly(404);
    }

    [Fact]
    public async Task Files_and_folders_whose_names_are_not_UTF_8_are_named_or_omitted()
    {
        await Tool.RunAsync("sh", ["-c", $"printf x > \"{_objects}/$(printf 'a\\377')\"; mkdir \"{_objects}/$(printf 'f\\376')\"; printf x > \"{_objects}/$(printf 'f\\376')/y\""]);
        await using var gateway = await StartAsync();

        var (failed, aborted) = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/"), await Download.GetAsync(gateway.Client, "/bundle?ids=s/&missing=abort"));
        var archive = await Download.GetAsync(gateway.Client, "/bundle?ids=s/&missing=skip");
        var list = JsonNode.Parse(await gateway.Client.GetStringAsync("/bundle/list?id=s/"))!;

        // .NET cannot delete them.
        await Tool.RunAsync("sh", ["-c", $"rm -r \"{_objects}\"/a* \"{_objects}\"/f*"]);
        const string Reason = "the key contains the character U+FFFD, which is not allowed";
        Assert.All([failed, aborted], download => Assert.Equal([new(0, "s/a\\u{FFFD}", Reason), new(0, "s/f\\u{FFFD}", Reason)], EntryProblem.ReadAll(download, 400)));
        Assert.Equal(["s/plain", "s/sub/inner"], archive.RequireWhole().Keys);
        Assert.Equal("2", archive.Response.Headers.GetValues("Bundle-Skipped").Single());
        Assert.Equal((1, 1, 2), (list["objects"]!.AsArray().Count, list["folders"]!.AsArray().Count, (int)list["omitted"]!));
    }

    [Fact]
    public async Task A_folder_that_is_too_deep_or_may_not_be_read_is_an_error_that_names_the_request()
    {
        var deep = string.Join('/', Enumerable.Repeat("d", 140));
        Write(deep + "/file");
        await using var gateway = await StartAsync();

        foreach (var missing in new[] { "fail", "skip", "abort" })
        {
            var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, $"/bundle?ids=s/plain,s/d/&missing={missing}"), 502));
            Assert.Equal((1, "s/d/"), (problem.Index, problem.Id));
            Assert.Contains("A folder cannot be read", problem.Reason, StringComparison.Ordinal);
        }

        if (!Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(PathOf("sub"), UnixFileMode.None);
            var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, "/bundle?ids=s/sub/"), 502));
            File.SetUnixFileMode(PathOf("sub"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Assert.Equal(new EntryProblem(0, "s/sub/", "A folder cannot be read."), problem);
        }
    }

    [Fact]
    public async Task A_thousand_files_on_three_levels_are_the_files_by_name()
    {
        string[] keys = [.. Enumerable.Range(0, 1000).Select(i => string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + (i % 3))}/{i % 7}/{i}"))];
        Write(keys);
        await using var gateway = await StartAsync();

        var folder = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a/,s/b/,s/c/");
        using var form = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = new FormUrlEncodedContent([new("ids", string.Join('\n', ListableStore.Sort(keys).Select(key => "s/" + key)))]) };
        var byName = await Download.SendAsync(gateway.Client, form);

        Assert.Equal(1000, folder.RequireWhole().Count);
        Assert.Equal(byName.Bytes, folder.Bytes);
        Assert.Equal(byName.Response.Headers.ETag, folder.Response.Headers.ETag);
    }

    private string PathOf(string key) => Path.Combine(_objects, key);

    private void Write(params string[] keys)
    {
        foreach (var key in keys)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(PathOf(key))!);
            File.WriteAllText(PathOf(key), key);
        }
    }

    private Task<GatewayUnderTest> StartAsync()
    {
        var configuration = GatewayUnderTest.Configuration(("s", [$"file:{_objects}/"]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.List", "true");
        return GatewayUnderTest.StartAsync(configuration);
    }
}
