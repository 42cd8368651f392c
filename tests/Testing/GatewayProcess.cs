using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Testing;

/// <summary>The gateway as a separate process.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly DirectoryInfo? _folder;
    private readonly CancellationTokenRegistration _abandoned;
    private readonly ConcurrentQueue<Uri> _addresses = new();
    private readonly ConcurrentDictionary<Protocol, HttpClient> _clients = new();

    private GatewayProcess(Process process, DirectoryInfo? folder)
    {
        _process = process;
        _folder = folder;

        // A test that has timed out may never dispose of it.
        _abandoned = TestContext.Current.CancellationToken.UnsafeRegister(_ => process.Kill(), null);
    }

    public ConcurrentQueue<string> Output { get; } = new();

    /// <summary>The URL for HTTP/1.1 in cleartext.</summary>
    public Uri Address => AddressOf(Protocol.Http1);

    /// <summary>Everything it listens on.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _addresses];

    /// <summary>A client for HTTP/1.1 in cleartext.</summary>
    public HttpClient Client => ClientOf(Protocol.Http1);

    public Process Process => _process;

    /// <summary>Starts it with a port for each <see cref="Protocol"/>.</summary>
    /// <param name="configuration">Read as a file.</param>
    /// <param name="environment">The name of the environment.</param>
    /// <param name="variables">Variables of its environment.</param>
    public static async Task<GatewayProcess> StartAsync(JsonObject configuration, string environment = "Production", IReadOnlyDictionary<string, string>? variables = null)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-process-");
        GatewayUnderTest.ListenForAll(configuration);
        GatewayUnderTest.Set(configuration, "Kestrel:Endpoints:Tls:Certificate:Path", TestCertificate.File);
        var file = FileIn(folder);
        await File.WriteAllTextAsync(file, configuration.ToJsonString());
        return await StartAsync(["--config", file], folder, environment: environment, variables: variables);
    }

    public static async Task<GatewayProcess> StartAsync(string[] arguments, DirectoryInfo? folder = null, string? program = null, string environment = "Production", IReadOnlyDictionary<string, string>? variables = null)
    {
        var start = new ProcessStartInfo(Tool.Require("dotnet"), [program ?? Path.Combine(AppContext.BaseDirectory, "Gateway.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_ENVIRONMENT"] = environment;

        // As in the Dockerfile.
        start.Environment["DOTNET_GCgen0size"] = "0x200000";
        start.Environment["MALLOC_ARENA_MAX"] = "2";
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        var gateway = new GatewayProcess(process, folder);
        process.OutputDataReceived += (_, line) => gateway.Read(line.Data);
        process.ErrorDataReceived += (_, line) => gateway.Read(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Eventually.TrueAsync(() => process.HasExited || gateway.Output.Any(line => line.Contains("Sources: ", StringComparison.Ordinal)), "the banner", Patience);
        return gateway;
    }

    /// <summary>Starts it with a port for HTTP/1.1 and one for the management listener, the last of <see cref="Addresses"/>. Metrics need a process of their own: OpenTelemetry collects
    /// from all meters of a name, also those of another test's gateway.</summary>
    public static async Task<GatewayProcess> StartManagedAsync(JsonObject configuration)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-process-");
        GatewayUnderTest.Set(configuration, "Management:Urls", "http://127.0.0.1:0");
        var file = FileIn(folder);
        await File.WriteAllTextAsync(file, configuration.ToJsonString());
        return await StartAsync(["--config", file, "--urls", "http://127.0.0.1:0"], folder);
    }

    /// <summary>Changes its configuration file.</summary>
    public async Task ReloadAsync(JsonObject configuration)
    {
        var next = FileIn(_folder!) + ".next";
        await File.WriteAllTextAsync(next, configuration.ToJsonString());
        File.Move(next, FileIn(_folder!), overwrite: true);
    }

    public Uri AddressOf(Protocol protocol) => protocol.Of([.. _addresses]);

    public HttpClient ClientOf(Protocol protocol) => _clients.GetOrAdd(protocol, static (protocol, gateway) => protocol.CreateClient(gateway.AddressOf(protocol)), this);

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
        _abandoned.Unregister();
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }

        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _folder?.Delete(recursive: true);
    }

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        const string Listening = "Now listening on: ";
        if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at)
        {
            _addresses.Enqueue(new Uri(line[(at + Listening.Length)..].Split('"')[0]));
        }

        Output.Enqueue(line);
    }

    private static string FileIn(DirectoryInfo folder) => Path.Combine(folder.FullName, "gateway.json");
}
