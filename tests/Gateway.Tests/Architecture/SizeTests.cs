using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Runtime.CompilerServices;
using Gateway.Archiving;
using Gateway.Doors;
using Gateway.Storage.Objects;

namespace Gateway.Tests.Architecture;

/// <summary>How large files, methods and parameter lists may be, so that a reader can hold each in mind.</summary>
public sealed class SizeTests
{
    private const int MaxLinesOfFile = 360;
    private const int MaxLinesOfNineInTenFiles = 170;
    private const int MaxLinesOfMedianFile = 70;
    private const int MaxLinesOfMethod = 60;

    // The two hot loops of the encoder: extracting a method there costs speed.
    private const int MaxLinesOfHotLoop = 66;
    private const int MaxParameters = 5;
    private const int MaxConstructorParameters = 7;
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Assembly[] Product = [typeof(ArchiveWriter).Assembly, typeof(ObjectStore).Assembly, typeof(BundleEndpoints).Assembly];

    [Fact]
    public void Files_are_short()
    {
        var lines = new[] { "Archiving", "Storage", "Gateway" }.SelectMany(SourceTree.GetFiles).Select(file => (File: file, Count: File.ReadLines(file).Count())).OrderBy(file => file.Count).ToArray();

        Assert.InRange(lines[lines.Length / 2].Count, 1, MaxLinesOfMedianFile);
        Assert.InRange(lines[lines.Length * 9 / 10].Count, 1, MaxLinesOfNineInTenFiles);
        Assert.True(lines[^1].Count <= MaxLinesOfFile, $"{lines[^1].File} has {lines[^1].Count} lines");
    }

    [Fact]
    public void Methods_are_short()
    {
        string[] tooLong = [.. Product.SelectMany(GetLengths).Where(method => method.Lines > (method.Name.StartsWith("Gateway.Archiving.Deflate.", StringComparison.Ordinal) ? MaxLinesOfHotLoop : MaxLinesOfMethod)).Select(method => $"{method.Name}: {method.Lines} lines")];

        Assert.True(tooLong.Length == 0, string.Join('\n', tooLong));
    }

    [Fact]
    public void Parameter_lists_are_short()
    {
        string[] tooWide = [.. GetMethods().Where(method => method.GetParameters().Length > (method.IsConstructor ? MaxConstructorParameters : MaxParameters))
            .Select(method => $"{method.DeclaringType}.{method.Name}: {method.GetParameters().Length} parameters")];

        Assert.True(tooWide.Length == 0, string.Join('\n', tooWide));
    }

    /// <summary>What somebody has written: no accessors, no lambdas, nothing generated. The constructor of a record declares data.</summary>
    private static IEnumerable<MethodBase> GetMethods() => Product.SelectMany(assembly => assembly.GetTypes())
        .Where(type => type.GetCustomAttribute<CompilerGeneratedAttribute>() is null && !type.Name.Contains('<', StringComparison.Ordinal))
        .SelectMany(type => type.GetMembers(Declared).OfType<MethodBase>().Where(method => !method.IsConstructor || type.GetMethod("<Clone>$") is null && !type.IsValueType))
        .Where(method => !method.Name.Contains('<', StringComparison.Ordinal)
            && method.GetCustomAttribute<CompilerGeneratedAttribute>() is null
            && method.Name != "Deconstruct"
            && method.GetMethodImplementationFlags() != MethodImplAttributes.PreserveSig);

    private static IEnumerable<(string Name, int Lines)> GetLengths(Assembly assembly)
    {
        using var symbols = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.ChangeExtension(assembly.Location, ".pdb")));
        var reader = symbols.GetMetadataReader();
        foreach (var type in assembly.GetTypes())
        {
            foreach (var method in type.GetMembers(Declared).OfType<MethodBase>())
            {
                var points = reader.GetMethodDebugInformation(MetadataTokens.MethodDebugInformationHandle(method.MetadataToken & 0xFFFFFF)).GetSequencePoints().Where(point => !point.IsHidden).ToArray();
                if (points.Length > 0 && method.Name is not (".cctor" or ".ctor") && reader.GetString(reader.GetDocument(points[0].Document).Name).Contains("/src/", StringComparison.Ordinal) && !reader.GetString(reader.GetDocument(points[0].Document).Name).Contains("/obj/", StringComparison.Ordinal))
                {
                    yield return ($"{type}.{method.Name}", points.Max(point => point.EndLine) - points.Min(point => point.StartLine) + 1);
                }
            }
        }
    }
}
