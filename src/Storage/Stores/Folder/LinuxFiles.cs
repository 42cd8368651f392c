using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Storage.Stores.Folder;

/// <summary>The system calls of Linux that .NET does not have: a handle that fixes a file without opening it, and the type of a file.</summary>
internal static class LinuxFiles
{
    // The same on every processor that .NET supports.
    private const int PathOnly = 0x200000;
    private const int CloseOnExec = 0x80000;
    private const int EmptyPath = 0x1000;
    private const int NoFollow = 0x100;
    private const uint TypeTimeAndSize = 0x1 | 0x40 | 0x200;

    // struct statx has the same layout everywhere, unlike struct stat.
    private const int StatSize = 256;
    private const int ModeOffset = 28;
    private const int SizeOffset = 40;
    private const int SecondsOffset = 112;
    private const int NanosecondsOffset = 120;
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int DirectoryFile = 0x4000;
    private const int SymbolicLink = 0xA000;
    private const int NanosecondsPerTick = 100;

    private const int NotPermitted = 1, NotFound = 2, AccessDenied = 13, NotADirectory = 20, NameTooLong = 36, TooManyLinks = 40;

    /// <summary>Fixes a file or folder. Null if it does not exist or may not be reached.</summary>
    public static SafeFileHandle? Locate(string path)
    {
        var handle = Open(ToNative(path), PathOnly | CloseOnExec);
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

    /// <summary>Describes what a handle refers to.</summary>
    public static FileDescription? Describe(SafeFileHandle handle) => Describe(handle, "", EmptyPath);

    /// <summary>Describes an entry of a folder; a link itself, and not its target. Null if it does not exist.</summary>
    public static FileDescription? Describe(SafeFileHandle folder, string name) => Describe(folder, name, NoFollow);

    private static FileDescription? Describe(SafeFileHandle folder, string name, int flags)
    {
        var stat = new byte[StatSize];
        if (Stat(folder, ToNative(name), flags, TypeTimeAndSize, stat) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error is NotFound or NotADirectory ? null : throw new IOException($"The file cannot be described: {Marshal.GetPInvokeErrorMessage(error)}.");
        }

        var kind = (BitConverter.ToUInt16(stat, ModeOffset) & FileTypeMask) switch
        {
            RegularFile => FileKind.Regular,
            DirectoryFile => FileKind.Folder,
            SymbolicLink => FileKind.Link,
            _ => FileKind.Special,
        };

        // The same arithmetic as that of .NET, because an ETag is made of the result.
        var modified = DateTimeOffset.FromUnixTimeSeconds(BitConverter.ToInt64(stat, SecondsOffset)).AddTicks(BitConverter.ToUInt32(stat, NanosecondsOffset) / NanosecondsPerTick);
        return new FileDescription(kind, BitConverter.ToInt64(stat, SizeOffset), modified.UtcDateTime);
    }

    private static byte[] ToNative(string path) => Encoding.UTF8.GetBytes(path + '\0');

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern SafeFileHandle Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int Stat(SafeFileHandle folder, byte[] path, int flags, uint mask, [Out] byte[] stat);
}
