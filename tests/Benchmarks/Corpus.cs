using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Benchmarks;

/// <summary>The input for the encoders, taken from the machine itself, so that it is available everywhere.</summary>
internal static class Corpus
{
    private const int Size = 32 << 20;

    public static IEnumerable<(string Name, byte[] Bytes)> All()
    {
        var runtime = RuntimeEnvironment.GetRuntimeDirectory();
        yield return ("binaries", Concatenate(Directory.EnumerateFiles(runtime, "*.dll")));
        var packs = Path.GetFullPath(Path.Combine(runtime, "../../../packs"));
        if (Directory.Exists(packs))
        {
            yield return ("text", Concatenate(Directory.EnumerateFiles(packs, "*.xml", SearchOption.AllDirectories)));
        }

        yield return ("log", Workload.Log(1, Size));
        yield return ("random", RandomNumberGenerator.GetBytes(Size));
    }

    private static byte[] Concatenate(IEnumerable<string> files)
    {
        using var all = new MemoryStream();
        foreach (var file in files.Order(StringComparer.Ordinal).TakeWhile(_ => all.Length < Size))
        {
            all.Write(File.ReadAllBytes(file));
        }

        return all.ToArray()[..(int)Math.Min(all.Length, Size)];
    }
}
