using System.Text.RegularExpressions;

namespace Gateway.Tests.Architecture;

/// <summary>What must not be used, because a test cannot control it or must not wait for it: the reason is next to each.</summary>
public sealed class BannedApiTests
{
    // The product waits by a TimeProvider. A reloaded file is waited for as the framework does it.
    private static readonly string[] ProductWaits = ["src/Storage/SubRequests/AttemptHandler.cs", "src/Gateway/Admission/Drain.cs", "src/Gateway/Configuration/ConfigurationFile.cs"];

    // Real time passes only in the infrastructure of the tests.
    private static readonly string[] TestWaits = ["tests/Testing/Pace.cs", "tests/Testing/Stacks.cs", "tests/Testing/TimeLimit.cs"];

    [Fact]
    public void Clocks_are_time_providers() => RequireNone(@"\bStopwatch\b|\bTickCount(64)?\b|\bDateTime(Offset)?\.(UtcNow|Now)\b", ["src", "tests"], []);

    [Fact]
    public void The_product_waits_only_by_its_time_provider() => RequireNone(@"\bTask\.Delay\(|\bThread\.Sleep\(", ["src"], ProductWaits);

    [Fact]
    public void The_product_and_the_tests_do_not_block_threads() => RequireNone(@"\bThread\.Sleep\(|\)\.Result\b", ["src", "tests"], [.. ProductWaits, .. TestWaits]);

    [Fact]
    public void Tests_wait_for_events_and_not_for_time() => RequireNone(@"\bTask\.Delay\(", ["tests"], TestWaits);

    private static void RequireNone(string pattern, string[] folders, string[] allowed)
    {
        var root = Path.GetDirectoryName(SourceTree.Root)!;
        string[] found = [.. folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => (Name: Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/'), File: file))
            .Where(file => !file.Name.Contains("/obj/", StringComparison.Ordinal) && !file.Name.EndsWith("/BannedApiTests.cs", StringComparison.Ordinal) && !allowed.Contains(file.Name))
            .SelectMany(file => File.ReadLines(file.File).Select((line, i) => (file.Name, Line: i + 1, Text: line)))
            .Where(line => Regex.IsMatch(line.Text, pattern))
            .Select(line => $"{line.Name}:{line.Line}: {line.Text.Trim()}")];

        Assert.True(found.Length == 0, string.Join('\n', found));
    }
}
