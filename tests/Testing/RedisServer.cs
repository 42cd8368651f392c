using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Testing;

/// <summary>A real redis-server on loopback that keeps nothing on disk.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private const int Attempts = 5;

    private readonly int _port;
    private Process _process;

    private RedisServer(Process process, int port)
    {
        _process = process;
        _port = port;
    }

    /// <summary>The value for <c>ConnectionStrings:Redis</c>.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    /// <summary>Starts it, or skips the test if it is not installed.</summary>
    public static async Task<RedisServer> StartAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = ReservedPort.Next();
            var process = Start(port);
            if (await Tool.AnswersAsync(process, port))
            {
                return new RedisServer(process, port);
            }

            process.Dispose();
            Assert.True(attempt < Attempts, "redis-server does not start");
        }
    }

    /// <summary>Stops it and discards its data.</summary>
    public async Task StopAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>Starts it again on the same port, empty.</summary>
    public async Task StartAgainAsync()
    {
        _process = Start(_port);
        Assert.True(await Tool.AnswersAsync(_process, _port));
    }

    public async Task<string> RunAsync(params string[] command) =>
        (await Tool.RunAsync("redis-cli", ["-p", _port.ToString(CultureInfo.InvariantCulture), .. command])).Output;

    public async ValueTask DisposeAsync() => await StopAsync();

    private static Process Start(int port) => Process.Start(new ProcessStartInfo(
        Tool.Require("redis-server"),
        ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"])
    {
        RedirectStandardOutput = true,
    })!;
}
