using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Folder;

namespace Storage.Tests.Stores.Folder;

public sealed class FolderListingTests : IDisposable
{
    // Linux: capset(2), CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
    private const uint CapabilityVersion = 0x20080522;
    private const uint ReadAnything = (1 << 1) | (1 << 2);

    private static readonly ListingRequest Everything = new(IsOneLevel: false, PageSize: 1000, Token: null);
    private static readonly ListingRequest OneLevel = new(IsOneLevel: true, PageSize: 1000, Token: null);

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("gateway-test-");
    private readonly string _folder;

    public FolderListingTests() => _folder = _root.CreateSubdirectory("objects").FullName;

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Every_file_at_every_depth_is_listed_in_the_order_of_its_bytes()
    {
        Write("b", "a/1", "a-", "a.txt", "a/b/c/2", ".hidden", ".git/config", "ü", "\uFF5E", "😀");
        _root.CreateSubdirectory("objects/empty/deep");

        var page = Read(Everything)!;

        Assert.Equal([".git/config", ".hidden", "a-", "a.txt", "a/1", "a/b/c/2", "b", "ü", "\uFF5E", "😀"], page.Objects.Select(listed => listed.Key));
        Assert.Equal((0, null), (page.Folders.Count, page.Next));
    }

    [Fact]
    public void One_level_has_the_files_and_folders_in_it()
    {
        Write("b", "a/1", "a-", "a/b/c/2", ".git/config");
        _root.CreateSubdirectory("objects/empty");

        var (root, sub) = (Read(OneLevel)!, Read(OneLevel, "a")!);

        Assert.Equal(["a-", "b"], root.Objects.Select(listed => listed.Key));
        Assert.Equal([".git/", "a/", "empty/"], root.Folders);
        Assert.Equal(["1"], sub.Objects.Select(listed => listed.Key));
        Assert.Equal(["b/"], sub.Folders);
    }

    [Fact]
    public void A_folder_that_does_not_exist_or_is_outside_is_null()
    {
        Write("file");

        Assert.Null(Read(Everything, "missing"));
        Assert.Null(Read(Everything, "file"));
        Assert.Null(Read(Everything, "file", "x"));
        Assert.Null(Read(Everything, ".."));
        Assert.Null(FolderListing.Read(Path.Combine(_folder, "missing"), [], Everything));
    }

    [Fact]
    public void Size_time_and_ETag_are_those_of_the_open_file()
    {
        Write("a", "sub/b");
        File.WriteAllText(GetPath("sub/b"), "12345");
        File.SetLastWriteTimeUtc(GetPath("a"), new DateTime(2026, 1, 2, 3, 4, 5, 678, 912, DateTimeKind.Utc));
        File.SetLastWriteTimeUtc(GetPath("sub/b"), new DateTime(1969, 12, 31, 23, 59, 59, 500, DateTimeKind.Utc));
        File.CreateSymbolicLink(GetPath("link"), "sub/b");

        var objects = Read(Everything)!.Objects;

        Assert.Equal(["a", "link", "sub/b"], objects.Select(listed => listed.Key));
        foreach (var listed in objects)
        {
            using var file = FolderFile.TryOpen(_folder, listed.Key.Split('/'))!;
            Assert.Equal((file.Length, file.ETag.ToString()), (listed.Size, listed.ETag));
            Assert.Equal(file.Modified.ToUnixTimeSeconds(), listed.Modified.ToUnixTimeSeconds());
            Assert.Equal(0, listed.Modified.Ticks % TimeSpan.TicksPerSecond);
        }
    }

    [Fact]
    public void Hostile_19_Links_that_leave_the_folder_are_omitted()
    {
        Write("inside/file");
        _root.CreateSubdirectory("outside");
        File.WriteAllText(Path.Combine(_root.FullName, "outside", "secret"), "secret");
        File.CreateSymbolicLink(GetPath("to-file"), "../outside/secret");
        Directory.CreateSymbolicLink(GetPath("to-folder"), "../outside");
        Directory.CreateSymbolicLink(GetPath("to-parent"), _root.FullName);
        File.CreateSymbolicLink(GetPath("to-nothing"), "missing");
        Directory.CreateSymbolicLink(GetPath("within"), "inside");
        Directory.CreateSymbolicLink(GetPath("absolute"), GetPath("inside"));

        Assert.Equal(["absolute/file", "inside/file", "within/file"], Read(Everything)!.Objects.Select(listed => listed.Key));
        Assert.Equal(["absolute/", "inside/", "within/"], Read(OneLevel)!.Folders);
        Assert.Empty(Read(OneLevel)!.Objects);
        Assert.Null(Read(Everything, "to-folder"));
        Assert.Equal(["file"], Read(Everything, "within")!.Objects.Select(listed => listed.Key));
    }

    [Fact]
    public void Hostile_19_Loops_of_links_end()
    {
        Write("a/file", "b/file");
        Directory.CreateSymbolicLink(GetPath("a/self"), ".");
        Directory.CreateSymbolicLink(GetPath("a/up"), "..");
        Directory.CreateSymbolicLink(GetPath("a/to-b"), "../b");
        Directory.CreateSymbolicLink(GetPath("b/to-a"), "../a");
        Directory.CreateSymbolicLink(GetPath("loop"), "loop");

        Assert.Equal(["a/file", "a/to-b/file", "b/file", "b/to-a/file"], Read(Everything)!.Objects.Select(listed => listed.Key));
        Assert.Equal(["to-b/"], Read(OneLevel, "a")!.Folders);
    }

    [Fact]
    public void Links_that_multiply_cost_a_bounded_number_of_folders_for_each_page()
    {
        // 2^20 paths to the same empty folder.
        for (var i = 0; i < 20; i++)
        {
            _root.CreateSubdirectory($"objects/{i}");
            Directory.CreateSymbolicLink(GetPath($"{i}/x"), $"../{i + 1}");
            Directory.CreateSymbolicLink(GetPath($"{i}/y"), $"../{i + 1}");
        }

        _root.CreateSubdirectory("objects/20");

        var first = Read(Everything)!;
        var second = Read(Everything with { Token = first.Next })!;

        Assert.Empty(first.Objects);
        Assert.NotNull(first.Next);
        Assert.True(KeyOrder.Instance.Compare(second.Next, first.Next) > 0);
    }

    [Fact]
    public void A_tree_that_is_too_deep_is_an_error()
    {
        var deep = string.Join('/', Enumerable.Repeat("d", 200));
        _root.CreateSubdirectory("objects/" + deep);

        var failure = Assert.Throws<StorageException>(() => Read(Everything));

        Assert.Equal((FailureReason.StorageError, "A folder cannot be read: it is more than 128 levels deep."), (failure.Reason, failure.Message));
        Assert.NotNull(Read(Everything, [.. deep.Split('/').Take(100)]));
    }

    [Fact]
    public void A_folder_that_may_not_be_read_is_an_error()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only");
        Write("a", "closed/file");
        SetMode("closed", UnixFileMode.None);

        // Root may read everything, so this thread gives that capability up.
        var capabilities = new uint[6];
        Assert.Equal(0, GetCapabilities([CapabilityVersion, 0], capabilities));
        Assert.Equal(0, SetCapabilities([CapabilityVersion, 0], [capabilities[0] & ~ReadAnything, .. capabilities[1..]]));
        try
        {
            var failure = Assert.Throws<StorageException>(() => Read(Everything));

            Assert.Equal((FailureReason.StorageError, "A folder cannot be read."), (failure.Reason, failure.Message));
        }
        finally
        {
            Assert.Equal(0, SetCapabilities([CapabilityVersion, 0], capabilities));
            SetMode("closed", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task Pipes_are_omitted_and_nothing_waits_for_them()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only");
        Write("a");
        await RunAsync("mkfifo", GetPath("pipe"));
        File.CreateSymbolicLink(GetPath("to-pipe"), "pipe");

        Assert.Equal(["a"], Read(Everything)!.Objects.Select(listed => listed.Key));
        Assert.Empty(Read(OneLevel)!.Folders);
    }

    [Fact]
    public async Task A_name_that_is_not_UTF_8_is_listed_as_it_is_shown()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only");
        Write("b", "real-\uFFFD");
        await RunAsync("sh", "-c", $"printf x > \"{_folder}/$(printf 'a\\377')\"; mkdir \"{_folder}/$(printf 'a\\377f')\"");

        var objects = Read(Everything)!.Objects;

        // .NET cannot delete it.
        await RunAsync("sh", "-c", $"rm -r \"{_folder}\"/a*");
        Assert.Equal(["a\uFFFD", "a\uFFFDf", "b", "real-\uFFFD"], objects.Select(listed => listed.Key));
        Assert.Equal((0, null), (objects[0].Size, objects[0].ETag));
        Assert.NotNull(objects[3].ETag);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pages_of_any_size_are_together_the_whole_listing(bool isOneLevel)
    {
        string[] names = ["a", "a-", "a0", "b", "ü", "\uFF5E", "😀"];
        Gen.Int[0, names.Length - 1].Array[1, 4].Select(picks => string.Join('/', picks.Select(i => names[i]))).Array[0, 40].Sample(
            files =>
            {
                using var tree = new Tree(_root, files);
                var request = new ListingRequest(isOneLevel, 1000, null);
                var whole = FolderListing.Read(tree.Path, [], request)!;

                foreach (var size in new[] { 1, 2, 3, 7 })
                {
                    var (keys, folders, last) = (new List<string>(), new List<string>(), (ListingPage?)null);
                    for (var (token, pages) = ((string?)null, 0); token is not null || pages == 0; token = last.Next, pages++)
                    {
                        last = FolderListing.Read(tree.Path, [], request with { PageSize = size, Token = token })!;
                        Assert.True(last.Objects.Count + last.Folders.Count <= size);
                        keys.AddRange(last.Objects.Select(listed => listed.Key));
                        folders.AddRange(last.Folders);
                    }

                    Assert.Equal(whole.Objects.Select(listed => listed.Key), keys);
                    Assert.Equal(whole.Folders, folders);
                }

                Assert.Equal(tree.GetKeys(isOneLevel), whole.Objects.Select(listed => listed.Key).Concat(whole.Folders).Order(KeyOrder.Instance));
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public void A_page_begins_after_its_token_even_if_nothing_has_that_key()
    {
        Write("a/1", "b/1", "c/1");

        Assert.Equal(["c/1"], Read(Everything with { Token = "b/1" })!.Objects.Select(listed => listed.Key));
        Assert.Equal(["c/1"], Read(Everything with { Token = "b0" })!.Objects.Select(listed => listed.Key));
        Assert.Empty(Read(Everything with { Token = "c/2" })!.Objects);
    }

    private ListingPage? Read(ListingRequest request, params string[] segments) => FolderListing.Read(_folder, segments, request);

    private string GetPath(string key) => Path.Combine(_folder, key);

    private void Write(params string[] keys)
    {
        foreach (var key in keys)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(GetPath(key))!);
            File.WriteAllText(GetPath(key), key);
        }
    }

    private void SetMode(string key, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(GetPath(key), mode);
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Random files. One whose name is that of a folder is left out.</summary>
    private sealed class Tree : IDisposable
    {
        private readonly DirectoryInfo _folder;

        public Tree(DirectoryInfo parent, string[] files)
        {
            _folder = parent.CreateSubdirectory(Guid.NewGuid().ToString("N"));
            foreach (var file in files.Where(file => !Directory.Exists(GetPath(file))))
            {
                try
                {
                    Directory.CreateDirectory(System.IO.Path.GetDirectoryName(GetPath(file))!);
                    File.WriteAllText(GetPath(file), "");
                }
                catch (IOException)
                {
                    // A folder in its path is a file.
                }
            }
        }

        public string Path => _folder.FullName;

        public string[] GetKeys(bool isOneLevel) =>
        [
            .. _folder.EnumerateFileSystemInfos("*", isOneLevel ? SearchOption.TopDirectoryOnly : SearchOption.AllDirectories)
                .Where(info => isOneLevel || info is FileInfo)
                .Select(info => System.IO.Path.GetRelativePath(Path, info.FullName) + (info is DirectoryInfo ? "/" : ""))
                .OrderBy(Encoding.UTF8.GetBytes, Comparer<byte[]>.Create((one, other) => one.AsSpan().SequenceCompareTo(other))),
        ];

        public void Dispose() => _folder.Delete(recursive: true);

        private string GetPath(string key) => System.IO.Path.Combine(Path, key);
    }

    [DllImport("libc", EntryPoint = "capget")]
    private static extern int GetCapabilities(uint[] header, [Out] uint[] capabilities);

    [DllImport("libc", EntryPoint = "capset")]
    private static extern int SetCapabilities(uint[] header, uint[] capabilities);
}
