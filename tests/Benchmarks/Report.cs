namespace Benchmarks;

/// <summary>Writes a table to its place in docs/benchmarks.md.</summary>
internal static class Report
{
    public static void Write(string part, string table)
    {
        if (Find() is not { } file)
        {
            Console.WriteLine("docs/benchmarks.md was not found above the current folder; the table is not saved.");
            return;
        }

        var (begin, end) = ($"<!-- {part} -->\n", $"<!-- /{part} -->");
        var text = File.ReadAllText(file);
        var from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var to = text.IndexOf(end, StringComparison.Ordinal);
        File.WriteAllText(file, $"{text[..from]}{table.TrimEnd()}\n{text[to..]}");
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(Environment.CurrentDirectory); folder is not null; folder = folder.Parent)
        {
            if (Path.Combine(folder.FullName, "docs", "benchmarks.md") is var file && File.Exists(file))
            {
                return file;
            }
        }

        return null;
    }
}
