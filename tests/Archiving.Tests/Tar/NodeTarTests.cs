using System.Text.Json;
using Gateway.Archiving;
using Testing;

namespace Archiving.Tests.Tar;

/// <summary>Node's <c>tar</c> module, with which npm unpacks every package.</summary>
public class NodeTarTests
{
    private const string Script = """
        const tar = require('tar'), crypto = require('crypto'), found = [];
        const parser = new tar.Parser({ strict: true, onReadEntry: entry => {
          const hash = crypto.createHash('sha256');
          entry.on('data', chunk => hash.update(chunk)).on('end', () => found.push([entry.path, entry.size, hash.digest('hex')]));
        } });
        parser.on('end', () => console.log(JSON.stringify(found)));
        process.stdin.pipe(parser);
        """;

    [Theory]
    [InlineData(ArchiveFormat.Tar, Compression.Fast)]
    [InlineData(ArchiveFormat.TarGz, Compression.Fast)]
    [InlineData(ArchiveFormat.TarGz, Compression.Small)]
    [InlineData(ArchiveFormat.TarGz, Compression.Store)]
    public async Task Node_reads_every_entry(ArchiveFormat format, Compression compression)
    {
        await Tool.RequireNodeModuleAsync("tar");
        (string Name, byte[] Body)[] entries =
        [
            ("text", new ObjectContent(700_017, 1).ToArray()), ("empty", []), ("media", new ObjectContent(500_003, 2, compressible: false).ToArray()),
            ("grüße/日本語/😀.txt", [1]), (string.Join('/', Enumerable.Repeat(new string('s', 200), 10)), [2, 3]),
        ];

        var result = await Tool.RunAsync("node", ["-e", Script], await Archive.WriteAsync(new ArchiveRecipe(format, compression), entries));

        Assert.True(result.ExitCode == 0, result.Error);
        var found = JsonDocument.Parse(result.Output).RootElement.EnumerateArray().Select(row => (row[0].GetString(), row[1].GetInt64(), row[2].GetString()));
        Assert.Equal(entries.Select(entry => ((string?)entry.Name, (long)entry.Body.Length, (string?)Download.Hash(entry.Body))), found);
    }
}
