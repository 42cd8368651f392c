using System.Runtime.CompilerServices;

namespace Gateway.Tests.Architecture;

/// <summary>The files of the repository's <c>src</c>.</summary>
internal static class SourceTree
{
    /// <summary>The folder <c>src</c>.</summary>
    public static string Root { get; } = Find();

    /// <summary>The source files of a project.</summary>
    public static IEnumerable<string> GetFiles(string project) =>
        Directory.EnumerateFiles(Path.Combine(Root, project), "*.cs", SearchOption.AllDirectories).Where(file => IsSource(Path.GetDirectoryName(file)!));

    /// <summary>Whether a folder holds source and not the output of a build.</summary>
    public static bool IsSource(string folder) =>
        !Path.GetRelativePath(Root, folder).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin");

    private static string Find([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", "..", "src"));
}
