using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Testing;

/// <summary>The gateway as a process of its own.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string? _file;

    private GatewayProcess(Process process, string? file)
    {
        _process = process;
        _file = file;
    }

    public ConcurrentQueue<string> Output { get; } = new();

    public Uri Address { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public Process Process => _process;

    public static async Task<GatewayProcess> StartAsync(JsonObject configuration)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, configuration.ToJsonString());
        return await StartAsync(["--config", file, "--urls", "http://127.0.0.1:0"], file);
    }

    public static async Task<GatewayProcess> StartAsync(string[] arguments, string? file = null, string? program = null)
    {
        var start = new ProcessStartInfo(Tool.Require("dotnet"), [program ?? Path.Combine(AppContext.BaseDirectory, "Gateway.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_ENVIRONMENT"] = "Production";
        start.Environment["DOTNET_GCgen0size"] = "0x200000"; // as in the Dockerfile
        var process = Process.Start(start)!;
        var gateway = new GatewayProcess(process, file);
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        gateway.Address = new Uri(await listening.Task.WaitAsync(Patience));
        gateway.Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateway.Address, Timeout = TimeSpan.FromMinutes(5) };
        await Eventually.TrueAsync(() => gateway.Output.Any(line => line.Contains("Sources: ", StringComparison.Ordinal)), "the banner");
        return gateway;

        void Read(string? line)
        {
            if (line is null)
            {
                return;
            }

            gateway.Output.Enqueue(line);
            const string Listening = "Now listening on: ";
            if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at)
            {
                listening.TrySetResult(line[(at + Listening.Length)..].Split('"')[0]);
            }
        }
    }

    public async Task TerminateAsync() =>
        await Tool.RunAsync("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);

    public async Task<int> ExitCodeAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        if (_file is not null)
        {
            File.Delete(_file);
        }
    }
}
