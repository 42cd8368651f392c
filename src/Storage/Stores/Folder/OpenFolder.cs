using System.IO.Enumeration;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Storage.Stores.Folder;

/// <summary>A folder that is listed: what is listed is the folder that was resolved, even if its name now refers to another one.</summary>
/// <param name="path">Its path without links.</param>
/// <param name="handle">Null except on Linux.</param>
internal sealed class OpenFolder(string path, SafeFileHandle? handle) : IDisposable
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>Its path without links.</summary>
    public string RealPath { get; } = path;

    /// <summary>The names of its entries, in no order; a folder, or a link to one, ends in a slash.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public IEnumerable<string> GetNames() => new FileSystemEnumerable<string>(
        handle is null ? RealPath : LinuxFiles.GetName(handle),
        static (ref entry) => entry.IsDirectory ? $"{entry.FileName}/" : entry.FileName.ToString(),
        Everything);

    /// <summary>Describes an entry; a link itself, and not its target.</summary>
    /// <returns>Null if it does not exist.</returns>
    public FileDescription? Describe(string name)
    {
        if (handle is not null)
        {
            return LinuxFiles.Describe(handle, name);
        }

        var file = new FileInfo(Path.Combine(RealPath, name));
        var kind = file.LinkTarget is not null ? FileKind.Link : Directory.Exists(file.FullName) ? FileKind.Folder : FileKind.Regular;
        return kind == FileKind.Regular && !file.Exists ? null : new FileDescription(kind, kind == FileKind.Regular ? file.Length : 0, file.LastWriteTimeUtc);
    }

    /// <summary>Opens a folder in it.</summary>
    /// <returns>Null if there is no such folder, it is a link, or it may not be reached.</returns>
    public OpenFolder? TryOpen(string name)
    {
        var child = Path.Combine(RealPath, name);
        if (handle is null)
        {
            return Directory.Exists(child) ? new OpenFolder(child, null) : null;
        }

        var childHandle = LinuxFiles.Locate($"{LinuxFiles.GetName(handle)}/{name}");
        if (childHandle is not null && LinuxFiles.GetPath(childHandle) == child)
        {
            return new OpenFolder(child, childHandle);
        }

        childHandle?.Dispose();
        return null;
    }

    public void Dispose() => handle?.Dispose();
}
