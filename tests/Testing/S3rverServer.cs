using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Testing;

/// <summary>
/// s3rver on loopback: a store that ignores <c>If-Match</c> and responds with a range of another version. It does not verify signatures, so no
/// test of signatures uses it.
/// </summary>
internal sealed class S3rverServer : IAsyncDisposable
{
    public const string AccessKey = "S3RVER", SecretKey = "S3RVER";

    private const int Attempts = 5;

    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private S3rverServer(Process process, DirectoryInfo folder, int port)
    {
        _process = process;
        _folder = folder;
        Address = $"http://127.0.0.1:{port}/";
        Client = new BotoClient(Address, AccessKey, SecretKey);
    }

    public string Address { get; }

    /// <summary>Creates buckets and uploads objects.</summary>
    public BotoClient Client { get; }

    /// <summary>Starts it, or skips the test if it is not installed.</summary>
    public static async Task<S3rverServer> StartAsync()
    {
        var program = Tool.RequireNodeProgram("s3rver");
        BotoClient.Require();
        for (var attempt = 1; ; attempt++)
        {
            var (folder, port) = (Directory.CreateTempSubdirectory("gateway-s3rver-"), ReservedPort.Next());
            var start = new ProcessStartInfo(program, ["--directory", folder.FullName, "--address", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--silent"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };

            // Its continuation tokens use a cipher that OpenSSL 3 has moved.
            start.Environment["NODE_OPTIONS"] = "--openssl-legacy-provider";
            var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (await Tool.AnswersAsync(process, port))
            {
                return new S3rverServer(process, folder, port);
            }

            process.Dispose();
            folder.Delete(recursive: true);
            Assert.True(attempt < Attempts, $"s3rver does not start: {await output}{await error}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
