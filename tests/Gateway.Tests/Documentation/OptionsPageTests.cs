using System.Runtime.CompilerServices;

namespace Gateway.Tests.Documentation;

public class OptionsPageTests
{
    private const string WriteVariable = "GATEWAY_WRITE_DOCS";

    [Fact]
    public async Task The_options_page_is_current()
    {
        var folder = FolderOf();
        var file = Path.GetFullPath(Path.Combine(folder, "../../../docs/options.md"));
        var page = OptionsPage.Create(await File.ReadAllTextAsync(Path.Combine(folder, "options.header.md"), TestContext.Current.CancellationToken));

        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
        {
            await File.WriteAllTextAsync(file, page, TestContext.Current.CancellationToken);
        }

        Assert.True(
            File.Exists(file) && await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken) == page,
            $"docs/options.md is not current. Run this test with {WriteVariable}=1 and commit the file.");
    }

    [Fact]
    public async Task Every_option_has_a_meaning()
    {
        var page = OptionsPage.Create(await File.ReadAllTextAsync(Path.Combine(FolderOf(), "options.header.md"), TestContext.Current.CancellationToken));

        Assert.DoesNotContain("|  |", page, StringComparison.Ordinal);
    }

    private static string FolderOf([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
