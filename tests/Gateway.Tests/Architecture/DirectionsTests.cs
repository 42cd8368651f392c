using System.Text.RegularExpressions;

namespace Gateway.Tests.Architecture;

/// <summary>Which folder may use which: the table is the architecture. A folder that is not in the table, or that uses another one than the table allows, is a failure.</summary>
public sealed partial class DirectionsTests
{
    private const string All = "*";

    private static readonly Dictionary<string, string> Archiving = new()
    {
        [""] = All,
        ["Deflate"] = "",
        ["Resuming"] = "",
        ["Blocks"] = "Deflate Resuming",
        ["Tar"] = "",
        ["Gzip"] = "Blocks",
        ["Zip"] = "Blocks Encoders Resuming",
        ["Zstd"] = "Blocks",
        ["Encoders"] = "Blocks Deflate Zstd",
        ["Layout"] = "Blocks Encoders Gzip Resuming Tar Zip Zstd",
    };

    private static readonly Dictionary<string, string> Storage = new()
    {
        [""] = All,
        ["Failures"] = "",
        ["Paths"] = "",
        ["Http"] = "Failures",
        ["Sources"] = "Http Paths",
        ["Connections"] = "Failures",
        ["Listings"] = "",
        ["Checksums"] = "Failures Http",
        ["Stores"] = "Failures Listings Sources Stores.AzureBlobs Stores.Dialects Stores.Folder Stores.GoogleCloud Stores.S3 Stores.Xml",
        ["Stores.Xml"] = "Failures Http Listings",
        ["Stores.Folder"] = "Failures Http Listings",
        ["Stores.Dialects"] = "Failures Listings Paths Stores.Xml",
        ["Stores.S3"] = "Failures Http Listings Stores.Dialects Stores.Xml",
        ["Stores.AzureBlobs"] = "Failures Http Listings Stores.Dialects Stores.Xml",
        ["Stores.GoogleCloud"] = "Listings Stores.Dialects Stores.S3",
        ["Telemetry"] = "Connections Failures Sources Stores",
        ["SubRequests"] = "Connections Failures Http Listings Paths Sources Stores Stores.Folder Telemetry",
        ["Objects"] = "Checksums Failures Http Listings Sources SubRequests Telemetry",
    };

    private static readonly Dictionary<string, string> Gateway = new()
    {
        [""] = "Commands",
        ["Commands"] = "Access Configuration Hosting Telemetry",
        ["Hosting"] = All,
        ["Doors"] = "Access Admission Bundles Links Plans Requests Responses Runs Server Telemetry",
        ["Bundles"] = "Access Admission Planning Plans Requests Responses Resuming Runs Streaming Telemetry",
        ["Planning"] = "Admission Plans Requests Responses Runs",
        ["Streaming"] = "Admission Plans Requests Responses Resuming Runs Telemetry",
        ["Runs"] = "Admission Plans Requests Responses Resuming",
        ["Plans"] = "Admission Requests Responses Resuming",
        ["Requests"] = "Admission Responses",
        ["Health"] = "Admission Telemetry",
        ["Status"] = "Admission Requests Runs Server Telemetry",
        ["Admission"] = "Responses Server Telemetry",
        ["Access"] = "Configuration Responses",
        ["Server"] = "Configuration Responses Telemetry",
        ["Links"] = "Caching",
        ["Resuming"] = "Caching Telemetry",
        ["Responses"] = "",
        ["Caching"] = "",
        ["Configuration"] = "Telemetry",
        ["Telemetry"] = "",
    };

    [Fact]
    public void Each_folder_uses_only_the_folders_that_the_table_allows()
    {
        string[] faults = [.. FindFaults("Archiving", "Gateway.Archiving", Archiving), .. FindFaults("Storage", "Gateway.Storage", Storage), .. FindFaults("Gateway", "Gateway", Gateway)];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
    }

    [Fact]
    public void No_two_folders_use_each_other()
    {
        foreach (var table in new[] { Archiving, Storage, Gateway })
        {
            var done = new HashSet<string>();
            while (table.Keys.Except(done).ToArray() is { Length: > 0 } rest)
            {
                var free = rest.Where(folder => table[folder] == All || table[folder].Split(' ', StringSplitOptions.RemoveEmptyEntries).All(done.Contains)).ToArray();
                Assert.True(free.Length > 0, $"a cycle: {string.Join(", ", rest)}");
                done.UnionWith(free);
            }
        }
    }

    [Fact]
    public void No_folder_has_more_than_20_files()
    {
        var crowded = Directory.EnumerateDirectories(SourceTree.Root, "*", SearchOption.AllDirectories)
            .Where(folder => SourceTree.IsSource(folder) && Directory.EnumerateFiles(folder, "*.cs").Count() > 20);
        Assert.Empty(crowded);
    }

    private static IEnumerable<string> FindFaults(string project, string root, Dictionary<string, string> table)
    {
        foreach (var file in SourceTree.GetFiles(project))
        {
            var folder = Path.GetDirectoryName(Path.GetRelativePath(Path.Combine(SourceTree.Root, project), file))!.Replace(Path.DirectorySeparatorChar, '.');
            if (!table.TryGetValue(folder, out var allowed))
            {
                yield return $"{file}: the folder '{folder}' is not in the table";
                continue;
            }

            foreach (var used in GetUsed(File.ReadAllText(file), root, table.Keys).Distinct())
            {
                if (used != folder && allowed != All && !allowed.Split(' ').Contains(used))
                {
                    yield return $"{file}: {folder} must not use {used}";
                }
            }
        }
    }

    /// <summary>The folders of a project that a file names, in a using or in full.</summary>
    private static IEnumerable<string> GetUsed(string text, string root, IEnumerable<string> folders)
    {
        foreach (Match match in QualifiedName().Matches(CommentOrNamespace().Replace(text, "")))
        {
            if (match.Value.StartsWith(root + ".", StringComparison.Ordinal)
                && folders.Where(folder => folder.Length > 0 && (match.Value[(root.Length + 1)..] + ".").StartsWith(folder + ".", StringComparison.Ordinal)).MaxBy(folder => folder.Length) is { } used)
            {
                yield return used;
            }
        }
    }

    [GeneratedRegex(@"\bGateway(\.\w+)+")]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"^\s*//.*$|^namespace .*$", RegexOptions.Multiline)]
    private static partial Regex CommentOrNamespace();
}
