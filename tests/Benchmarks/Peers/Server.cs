using System.Diagnostics;
using System.Globalization;
using Testing;

namespace Benchmarks.Peers;

/// <summary>A server in a separate process, which is ready when it prints the expected line.</summary>
internal sealed class Server : IAsyncDisposable
{
    private const string Listening = "Now listening on: ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private Server(Process process, Uri address)
    {
        Process = process;
        Address = address;
    }

    public Process Process { get; }

    public Uri Address { get; }

    /// <summary>This program with another command.</summary>
    public static Task<Server> StartSelfAsync(params string[] arguments) =>
        StartAsync("dotnet", [Path.Combine(AppContext.BaseDirectory, "Benchmarks.dll"), .. arguments]);

    /// <summary>Node's archiver, installed from npm into a separate folder; null if node is missing.</summary>
    public static async Task<Server?> StartArchiverAsync(string origin)
    {
        if (!Tool.Exists("node") || !Tool.Exists("npm"))
        {
            Console.WriteLine("Node archiver is left out: node or npm is not installed.");
            return null;
        }

        var folder = Path.Combine(Path.GetTempPath(), "gateway-benchmark-archiver");
        Directory.CreateDirectory(folder);
        foreach (var file in new[] { "archiver.js", "package.json" })
        {
            File.Copy(Path.Combine(AppContext.BaseDirectory, "Peers", file), Path.Combine(folder, file), overwrite: true);
        }

        var install = await Tool.RunAsync("npm", ["install", "--no-audit", "--no-fund"], folder: folder);
        if (install.ExitCode == 0)
        {
            return await StartAsync("node", [Path.Combine(folder, "archiver.js"), origin]);
        }

        Console.WriteLine($"Node archiver is left out: {install.Error}");
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync();
        Process.Dispose();
    }

    private static async Task<Server> StartAsync(string program, string[] arguments)
    {
        var process = System.Diagnostics.Process.Start(new ProcessStartInfo(Tool.Require(program), arguments) { RedirectStandardOutput = true })!;
        using var patience = new CancellationTokenSource(Patience);
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at)
            {
                // Drain its later output, so that it does not block.
                _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return new Server(process, new Uri(line[(at + Listening.Length)..].Trim()));
            }
        }

        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{program} ended with {process.ExitCode}"));
    }
}
