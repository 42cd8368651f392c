using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using Gateway.Archiving;
using Gateway.Doors;
using Gateway.Storage.Objects;
using Testing;

namespace Benchmarks;

/// <summary>
/// What a reader must read to follow one <c>GET /bundle</c>: the methods of the product that run between the request and its response, and
/// their files. The runtime reports each method when it is compiled, which is when it runs first.
/// </summary>
internal static class RequestPath
{
    private static readonly Assembly[] Product = [typeof(ArchiveWriter).Assembly, typeof(ObjectStore).Assembly, typeof(BundleEndpoints).Assembly];

    /// <summary>Sends one request for a tar.gz of two objects, and prints the path.</summary>
    public static async Task RunAsync(TextWriter output)
    {
        await using var storage = new ScriptedUpstream();
        storage.Put("/a", 300_000, seed: 1);
        storage.Put("/b", 3_000_000, seed: 2);
        await using var gateway = await GatewayUnderTest.StartAsync(storage.Address);
        using var listener = new CompiledMethods();
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a,s/b")).RequireWhole();
        await gateway.Outcomes.NextAsync();
        Print([.. Product.SelectMany(assembly => GetMethods(assembly, listener.Names))], output);
    }

    private static void Print(PathMethod[] methods, TextWriter output)
    {
        var files = methods.GroupBy(method => method.File).Select(file => (
            Name: Path.GetRelativePath(FindRoot(file.Key), file.Key),
            All: File.ReadLines(file.Key).Count(),
            Run: file.SelectMany(method => Enumerable.Range(method.First, method.Last - method.First + 1)).Distinct().Count())).OrderBy(file => file.Name, StringComparer.Ordinal).ToArray();
        foreach (var (name, all, run) in files)
        {
            output.WriteLine($"{run,5} of {all,4}  {name}");
        }

        var longest = methods.MaxBy(method => method.Last - method.First)!;
        var constructors = Product.SelectMany(assembly => assembly.GetTypes())
            .Where(type => methods.Any(method => method.Type == type.FullName))
            .SelectMany(type => type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)).ToArray();
        var widest = constructors.MaxBy(constructor => constructor.GetParameters().Length)!;
        foreach (var group in files.GroupBy(file => file.Name.Split('/')[1]))
        {
            output.WriteLine($"{group.Key}: {group.Count()} files, {group.Sum(file => file.Run)} lines of methods that ran");
        }

        output.WriteLine($"Path of one GET /bundle: {files.Length} files, {files.Sum(file => file.All)} lines; {files.Sum(file => file.Run)} lines of methods that ran.");
        output.WriteLine($"Longest method: {longest.Type}.{longest.Name}, {longest.Last - longest.First + 1} lines.");
        output.WriteLine($"Widest constructor: {widest.DeclaringType}, {widest.GetParameters().Length} parameters.");
    }

    private static string FindRoot(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        while (!File.Exists(Path.Combine(folder, "Gateway.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    private static IEnumerable<PathMethod> GetMethods(Assembly assembly, IReadOnlySet<(string Type, string Name)> names)
    {
        using var symbols = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.ChangeExtension(assembly.Location, ".pdb")));
        var reader = symbols.GetMetadataReader();
        foreach (var type in assembly.GetTypes())
        {
            foreach (var method in type.GetMembers(BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).OfType<MethodBase>())
            {
                if (names.Contains((type.FullName!, method.Name)) && Locate(reader, method) is { } located && !located.File.Contains("/obj/", StringComparison.Ordinal))
                {
                    yield return located with { Type = type.FullName!, Name = method.Name };
                }
            }
        }
    }

    private static PathMethod? Locate(MetadataReader symbols, MethodBase method)
    {
        var points = symbols.GetMethodDebugInformation(MetadataTokens.MethodDebugInformationHandle(method.MetadataToken & 0xFFFFFF)).GetSequencePoints().Where(point => !point.IsHidden).ToArray();
        return points.Length == 0
            ? null
            : new PathMethod("", "", symbols.GetString(symbols.GetDocument(points[0].Document).Name), points.Min(point => point.StartLine), points.Max(point => point.EndLine));
    }

    /// <summary>A method that ran.</summary>
    private sealed record PathMethod(string Type, string Name, string File, int First, int Last);

    /// <summary>Hears of every method that the runtime compiles.</summary>
    private sealed class CompiledMethods : EventListener
    {
        private const string Runtime = "Microsoft-Windows-DotNETRuntime";
        private const EventKeywords Jit = (EventKeywords)0x10;
        private readonly ConcurrentDictionary<(string, string), byte> _names = new();

        public IReadOnlySet<(string Type, string Name)> Names => _names.Keys.ToHashSet();

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == Runtime)
            {
                EnableEvents(eventSource, EventLevel.Verbose, Jit);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventName?.StartsWith("MethodLoadVerbose", StringComparison.Ordinal) == true
                && eventData.PayloadNames is { } names
                && eventData.Payload![names.IndexOf("MethodNamespace")] is string { Length: > 0 } type
                && type.StartsWith("Gateway", StringComparison.Ordinal))
            {
                // Arguments of generic types are of no interest.
                _names.TryAdd((type.Split('[')[0], (string)eventData.Payload[names.IndexOf("MethodName")]!), 0);
            }
        }
    }
}
