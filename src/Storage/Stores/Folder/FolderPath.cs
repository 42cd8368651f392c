using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Storage.Stores.Folder;

/// <summary>Resolves a name in a folder and opens the target if it is a regular file.</summary>
/// <remarks>
/// A checked name can refer to another file a moment later. On Linux the order is therefore reversed. The name is opened with O_PATH.
/// This fixes the inode without opening a pipe or a device, which could wait, wake a writer or rewind a tape. Then the kernel
/// reports type and path of the handle. Only a regular file at the path where resolving the links ended is opened for reading,
/// through the handle, not by its name. openat2 with RESOLVE_BENEATH would reject absolute links, which may stay
/// inside the folder, and older container runtimes block it; O_NONBLOCK alone would wake the writer of a pipe.
/// </remarks>
internal static class FolderPath
{
    // The same limit as Linux.
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
            // For development only: there is a race between check and opening, and opening a pipe waits.
            var target = Directory.ResolveLinkTarget(root, returnFinalTarget: true)?.FullName ?? root;
            return Resolve(root, Path.TrimEndingDirectorySeparator(target), segments) is { } name && File.Exists(name)
                ? File.OpenHandle(name, share: Share, options: Options)
                : null;
        }

        using var folderHandle = Linux.Locate(root);
        if (folderHandle is null || Linux.GetPath(folderHandle) is not { } realRoot || Resolve(root, realRoot, segments) is not { } path)
        {
            return null;
        }

        using var handle = Linux.Locate(path);
        return handle is not null && Linux.GetPath(handle) == path && Linux.IsRegularFile(handle)
            ? File.OpenHandle(Linux.GetName(handle), share: Share, options: Options)
            : null;
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

    private static class Linux
    {
        // The same on every processor that .NET supports.
        private const int PathOnly = 0x200000;
        private const int CloseOnExec = 0x80000;
        private const int EmptyPath = 0x1000;
        private const uint TypeMask = 1;

        // struct statx has the same layout everywhere, unlike struct stat.
        private const int StatSize = 256;
        private const int ModeOffset = 28;
        private const int FileTypeMask = 0xF000;
        private const int RegularFile = 0x8000;

        private const int NotPermitted = 1, NotFound = 2, AccessDenied = 13, NotADirectory = 20, NameTooLong = 36, TooManyLinks = 40;

        public static SafeFileHandle? Locate(string path)
        {
            var handle = Open(Encoding.UTF8.GetBytes(path + '\0'), PathOnly | CloseOnExec);
            if (!handle.IsInvalid)
            {
                return handle;
            }

            var error = Marshal.GetLastPInvokeError();
            handle.Dispose();

            // Any other error, such as too many open files, does not mean that the file is missing.
            return error is NotPermitted or NotFound or AccessDenied or NotADirectory or NameTooLong or TooManyLinks
                ? null
                : throw new IOException($"The file cannot be opened: {Marshal.GetPInvokeErrorMessage(error)}.");
        }

        public static string GetName(SafeFileHandle handle) => string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{handle.DangerousGetHandle()}");

        public static string? GetPath(SafeFileHandle handle) => new FileInfo(GetName(handle)).LinkTarget;

        public static bool IsRegularFile(SafeFileHandle handle)
        {
            var stat = new byte[StatSize];
            return Stat(handle, [0], EmptyPath, TypeMask, stat) == 0 && (BitConverter.ToUInt16(stat, ModeOffset) & FileTypeMask) == RegularFile;
        }

        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        private static extern SafeFileHandle Open(byte[] path, int flags);

        [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
        private static extern int Stat(SafeFileHandle folder, byte[] path, int flags, uint mask, [Out] byte[] stat);
    }
}
