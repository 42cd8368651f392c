using Microsoft.Win32.SafeHandles;

namespace Gateway.Storage.Stores.Folder;

/// <summary>Resolves a name in a folder and opens the target if it is a regular file, or a folder that is to be listed.</summary>
/// <remarks>
/// A checked name can refer to another file a moment later. On Linux the order is therefore reversed. The name is opened with O_PATH.
/// This fixes the inode without opening a pipe or a device, which could wait, wake a writer or rewind a tape. Then the kernel
/// reports type and path of the handle. Only a regular file at the path where resolving the links ended is opened for reading,
/// through the handle, not by its name. openat2 with RESOLVE_BENEATH would reject absolute links, which may stay
/// inside the folder, and older container runtimes block it; O_NONBLOCK alone would wake the writer of a pipe.
/// </remarks>
internal static class FolderPath
{
    // The same limit as LinuxFiles.
    private const int MaxLinks = 40;

    private const FileShare Share = FileShare.ReadWrite | FileShare.Delete;
    private const FileOptions Options = FileOptions.Asynchronous | FileOptions.SequentialScan;

    /// <summary>Null if the file does not exist, is not a regular file, or if a link leads out of the folder.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="IOException">It no longer exists, or cannot be opened at the moment.</exception>
    public static SafeFileHandle? TryOpen(string folder, IEnumerable<string> segments)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (!OperatingSystem.IsLinux())
        {
            return ResolveElsewhere(root, segments) is { } name && File.Exists(name) ? File.OpenHandle(name, share: Share, options: Options) : null;
        }

        using var handle = Locate(root, segments, out _);
        return handle is not null && LinuxFiles.Describe(handle)?.Kind == FileKind.Regular
            ? File.OpenHandle(LinuxFiles.GetName(handle), share: Share, options: Options)
            : null;
    }

    /// <summary>Null if it does not exist, is not a folder, or if a link leads out of the folder.</summary>
    /// <exception cref="IOException">It cannot be opened at the moment.</exception>
    public static OpenFolder? TryOpenFolder(string folder, IEnumerable<string> segments)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (!OperatingSystem.IsLinux())
        {
            return ResolveElsewhere(root, segments) is { } name && Directory.Exists(name) ? new OpenFolder(name, null) : null;
        }

        var handle = Locate(root, segments, out var path);
        if (handle is not null && LinuxFiles.Describe(handle)?.Kind == FileKind.Folder)
        {
            return new OpenFolder(path, handle);
        }

        handle?.Dispose();
        return null;
    }

    /// <summary>What is at the path where resolving the links ended, whatever it is.</summary>
    private static SafeFileHandle? Locate(string root, IEnumerable<string> segments, out string path)
    {
        path = "";
        using var folderHandle = LinuxFiles.Locate(root);
        if (folderHandle is null || LinuxFiles.GetPath(folderHandle) is not { } realRoot || Resolve(root, realRoot, segments) is not { } resolved)
        {
            return null;
        }

        path = resolved;
        var handle = LinuxFiles.Locate(resolved);
        if (handle is null || LinuxFiles.GetPath(handle) == resolved)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>For development only: there is a race between check and opening, and opening a pipe waits.</summary>
    private static string? ResolveElsewhere(string root, IEnumerable<string> segments)
    {
        var target = Directory.ResolveLinkTarget(root, returnFinalTarget: true)?.FullName ?? root;
        return Resolve(root, Path.TrimEndingDirectorySeparator(target), segments);
    }

    /// <summary>
    /// The path with all links resolved, segment by segment; null if it leaves the folder on the way. A link's target is
    /// resolved too, because it may contain links.
    /// </summary>
    private static string? Resolve(string root, string realRoot, IEnumerable<string> segments)
    {
        var rest = new Stack<string>(segments.Reverse());
        var real = realRoot;
        for (var links = 0; rest.TryPop(out var segment);)
        {
            var next = Path.Combine(real, segment);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            var absolute = Path.GetFullPath(target, real);
            if (++links > MaxLinks || (Inside(realRoot, absolute) ?? Inside(root, absolute)) is not { } more)
            {
                return null;
            }

            real = realRoot;
            foreach (var part in more.Reverse())
            {
                rest.Push(part);
            }
        }

        return real;
    }

    private static string[]? Inside(string folder, string path) =>
        path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path[(folder.Length + 1)..].Split(Path.DirectorySeparatorChar)
            : null;
}
