namespace Fuzz;

/// <summary>A copy of this program with an instrumented gateway that reports which code was reached.</summary>
internal static class Instrumented
{
    private static readonly string[] Assemblies = ["Gateway.dll", "Gateway.Archiving.dll", "Gateway.Storage.dll"];

    public static DirectoryInfo Copy(string folder)
    {
        var copy = Directory.CreateTempSubdirectory("gateway-fuzz-");
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.FullName, Path.GetRelativePath(folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        foreach (var assembly in Assemblies)
        {
            SharpFuzz.Fuzzer.Instrument(Path.Combine(copy.FullName, assembly), _ => true, SharpFuzz.Options.Value);
        }

        return copy;
    }
}
