namespace Gateway.Storage.Stores.Folder;

/// <summary>What an entry of a folder is.</summary>
internal enum FileKind
{
    Regular,
    Folder,
    Link,

    /// <summary>A pipe, a socket or a device.</summary>
    Special,
}

/// <summary>An entry of a folder, without opening it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Modified">In UTC, as precise as the file system has it.</param>
internal readonly record struct FileDescription(FileKind Kind, long Length, DateTime Modified);
