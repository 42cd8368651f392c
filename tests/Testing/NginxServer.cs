using System.Diagnostics;
using Xunit;

namespace Testing;

/// <summary>A real nginx that serves a separate folder on loopback.</summary>
internal sealed class NginxServer : IAsyncDisposable
{
    private const int Attempts = 5;

    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private NginxServer(Process process, DirectoryInfo folder, int port)
    {
        _process = process;
        _folder = folder;
        Address = $"http://127.0.0.1:{port}/";
    }

    public string Address { get; }

    /// <summary>Where its objects are.</summary>
    public string Root => Path.Combine(_folder.FullName, "objects");

    /// <summary>Starts it, or skips the test if it is not installed.</summary>
    /// <param name="settings">Lines for the server block.</param>
    public static async Task<NginxServer> StartAsync(string settings = "", string listen = "", int keepAliveRequests = 1_000_000)
    {
        var program = Tool.Require("nginx");
        var folder = Directory.CreateTempSubdirectory("gateway-nginx-");
        folder.CreateSubdirectory("objects");
        for (var attempt = 1; ; attempt++)
        {
            var port = ReservedPort.Next();
            var configuration = Path.Combine(folder.FullName, "nginx.conf");
            await File.WriteAllTextAsync(configuration, $$"""
                daemon off;
                user root; # else nginx, started as root, could not read the folder; without effect for anyone else
                worker_processes 1;
                pid nginx.pid;
                error_log stderr error;
                events { worker_connections 8192; }
                http {
                  access_log off;
                  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
                  sendfile on;
                  keepalive_requests {{keepAliveRequests}};
                  server { listen 127.0.0.1:{{port}} {{listen}}; root objects; {{settings}} }
                }
                """);
            var process = Process.Start(new ProcessStartInfo(program, ["-p", folder.FullName, "-c", configuration]) { RedirectStandardError = true })!;
            if (await Tool.AnswersAsync(process, port))
            {
                return new NginxServer(process, folder, port);
            }

            var error = await process.StandardError.ReadToEndAsync();
            process.Dispose();
            Assert.True(attempt < Attempts, $"nginx does not start: {error}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Tool.RunAsync("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
