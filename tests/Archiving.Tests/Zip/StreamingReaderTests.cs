using Gateway.Archiving;
using Testing;

namespace Archiving.Tests.Zip;

/// <summary>
/// Readers that read a zip from a stream, without its directory, and so must find the end of each body themselves.
/// Each prints one line per entry: name and SHA-256.
/// </summary>
public class StreamingReaderTests
{
    private const string JavaReader = """
        import java.io.*; import java.security.*; import java.util.*; import java.util.zip.*;
        class Read {
          public static void main(String[] arguments) throws Exception {
            var zip = new ZipInputStream(new BufferedInputStream(System.in));
            for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) print(entry.getName(), zip);
          }
          static void print(String name, InputStream body) throws Exception {
            var hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body.readAllBytes()));
            System.out.println(name + " " + hash);
          }
        }
        """;

    private static readonly string CommonsCompressReader = JavaReader
        .Replace("import java.util.zip.*;", "import org.apache.commons.compress.archivers.zip.*;", StringComparison.Ordinal)
        .Replace("new ZipInputStream", "new ZipArchiveInputStream", StringComparison.Ordinal)
        .Replace("ZipEntry entry", "ZipArchiveEntry entry", StringComparison.Ordinal)
        .Replace("zip.getNextEntry()", "zip.getNextZipEntry()", StringComparison.Ordinal);

    private const string NodeHash = "const hash = body => require('crypto').createHash('sha256').update(body).digest('hex');";

    private const string UnzipperReader = NodeHash + """
        process.stdin.pipe(require('unzipper').Parse())
          .on('entry', async entry => console.log(entry.path, hash(await entry.buffer())))
          .on('error', error => { console.error(error); process.exit(1); });
        """;

    private const string FflateReader = NodeHash + """
        const { Unzip, UnzipInflate } = require('fflate');
        const unzip = new Unzip(file => {
          const parts = [];
          file.ondata = (error, data, final) => {
            if (error) { console.error(error); process.exit(1); }
            parts.push(Buffer.from(data));
            if (final) console.log(file.name, hash(Buffer.concat(parts)));
          };
          file.start();
        });
        unzip.register(UnzipInflate);
        process.stdin.on('data', data => unzip.push(new Uint8Array(data))).on('end', () => unzip.push(new Uint8Array(0), true));
        """;

    private const string ZipJsReader = NodeHash + """
        const { ZipReader, Uint8ArrayWriter, configure } = require('@zip.js/zip.js');
        configure({ useWebWorkers: false });
        (async () => {
          const stream = require('stream').Readable.toWeb(process.stdin);
          for await (const entry of new ZipReader(stream).getEntriesGenerator())
            console.log(entry.filename, hash(await entry.getData(new Uint8ArrayWriter(), { checkSignature: true })));
        })();
        """;

    private static readonly Lazy<Task<(string Name, byte[] Body)[]>> Entries = new(MakeAsync);

    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    [InlineData(Compression.Store)]
    public Task Java_s_ZipInputStream_reads_every_entry(Compression compression) => ReadAsync(compression, input => JavaAsync(JavaReader, input));

    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    [InlineData(Compression.Store)]
    public Task Commons_compress_reads_every_entry(Compression compression)
    {
        const string Library = "/usr/share/java/commons-compress.jar";
        Tool.RequireFile(Library);
        return ReadAsync(compression, input => JavaAsync(CommonsCompressReader, input, "-cp", Library));
    }

    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    public Task Unzipper_reads_every_entry(Compression compression) => ReadAsync(compression, input => NodeAsync("unzipper", UnzipperReader, input));

    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    public Task Fflate_reads_every_entry(Compression compression) => ReadAsync(compression, input => NodeAsync("fflate", FflateReader, input));

    [Fact]
    public async Task Readers_that_search_for_signatures_read_a_stored_zip_and_fail_at_an_archive_within_it()
    {
        // Its length is known in advance, so no block can be split at a signature.
        var entries = (await Entries.Value).Where(entry => !entry.Name.EndsWith(".zip", StringComparison.Ordinal)).ToArray();
        foreach (var (module, program) in new[] { ("unzipper", UnzipperReader), ("fflate", FflateReader) })
        {
            await ReadAsync(Compression.Store, entries, input => NodeAsync(module, program, input));

            var (exitCode, output, error) = await NodeAsync(module, program, await WriteAsync(Compression.Store, await Entries.Value));

            Assert.Contains("unexpected", error, StringComparison.OrdinalIgnoreCase);
            Assert.NotEqual(0, exitCode);
            Assert.DoesNotContain("inner/", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    [InlineData(Compression.Store)]
    public Task Zip_js_reads_every_entry(Compression compression) => ReadAsync(compression, input => NodeAsync("@zip.js/zip.js", ZipJsReader, input));

    [Theory]
    [InlineData(Compression.Fast)]
    [InlineData(Compression.Small)]
    [InlineData(Compression.Store)]
    public Task Bsdtar_reads_every_entry(Compression compression) => ReadAsync(compression, async input =>
    {
        var names = await Tool.RunAsync("bsdtar", ["-tf", "-"], input);
        var output = "";
        foreach (var name in names.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            output += $"{name} {(await Tool.RunAsync("sh", ["-c", $"bsdtar -xOf - '{name}' | sha256sum"], input)).Output[..64]}\n";
        }

        return names with { Output = output };
    });

    private static async Task ReadAsync(Compression compression, Func<byte[], Task<(int ExitCode, string Output, string Error)>> read)
    {
        Matrix.RequireFull(unless: compression != Compression.Small);
        await ReadAsync(compression, await Entries.Value, read);
    }

    private static async Task ReadAsync(
        Compression compression, (string Name, byte[] Body)[] entries, Func<byte[], Task<(int ExitCode, string Output, string Error)>> read)
    {
        var (exitCode, output, error) = await read(await WriteAsync(compression, entries));

        Assert.True(exitCode == 0, error);
        Assert.Equal(entries.Select(entry => $"{entry.Name} {Download.Hash(entry.Body)}"), output.TrimEnd().Split('\n'));
    }

    private static Task<byte[]> WriteAsync(Compression compression, (string Name, byte[] Body)[] entries) =>
        Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.Zip, compression), entries);

    private static async Task<(int ExitCode, string Output, string Error)> JavaAsync(string program, byte[] input, params string[] options)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("gateway-java-").FullName, "Read.java");
        try
        {
            await File.WriteAllTextAsync(file, program);
            return await Tool.RunAsync("java", [.. options, file], input);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    private static async Task<(int ExitCode, string Output, string Error)> NodeAsync(string module, string program, byte[] input)
    {
        await Tool.RequireNodeModuleAsync(module);
        return await Tool.RunAsync("node", ["-e", program], input);
    }

    /// <summary>Compressible and incompressible entries, an empty one, and archives that contain the signatures of every record.</summary>
    private static async Task<(string Name, byte[] Body)[]> MakeAsync()
    {
        (string, byte[])[] inner = [.. Enumerable.Range(0, 40).Select(i => ($"inner/{i}", new ObjectContent(5000, i, compressible: false).ToArray()))];
        return
        [
            ("text", new ObjectContent(300_017, 1).ToArray()),
            ("empty", []),
            ("media", new ObjectContent(500_003, 2, compressible: false).ToArray()),
            ("fast.zip", await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.Zip), inner)),
            ("store.zip", await Archive.WriteAsync(new ArchiveRecipe(ArchiveFormat.Zip, Compression.Store), inner)),
            ("last", [1, 2, 3]),
        ];
    }
}
