using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Testing;

/// <summary>A real Ceph with its S3 gateway on loopback, which verifies signatures. It takes some seconds to start and 300 MB: see <see cref="SharedStores"/>.</summary>
internal sealed class RadosGateway : IAsyncDisposable
{
    public const string AccessKey = "AKTEST", SecretKey = "SKTESTsecretSKTEST", Region = "us-east-1";

    /// <summary>The bucket that <see cref="VirtualHostAddress"/> is the address of. It must be created like any other.</summary>
    public const string VirtualHostBucket = "127";

    /// <summary>A role that the key may assume if there is an STS. It may read and list every bucket.</summary>
    public const string Role = "arn:aws:iam:::role/reader";

    private const int Attempts = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Process _script;

    private RadosGateway(Process script, int port, int tlsPort)
    {
        _script = script;
        Address = $"http://127.0.0.1:{port}/";
        TlsAddress = $"https://127.0.0.1:{tlsPort}/";
        VirtualHostAddress = $"http://127.0.0.2:{port}/";
        Client = new BotoClient(Address, AccessKey, SecretKey);
    }

    /// <summary>The address of the store; a bucket follows.</summary>
    public string Address { get; }

    /// <summary>The same over TLS, with <see cref="TestCertificate"/>.</summary>
    public string TlsAddress { get; }

    /// <summary>An address whose host begins with <see cref="VirtualHostBucket"/>; a key follows.</summary>
    public string VirtualHostAddress { get; }

    /// <summary>Creates buckets and uploads objects.</summary>
    public BotoClient Client { get; }

    /// <summary>Starts it, or skips the test if it is not installed.</summary>
    /// <param name="hasSts">Whether it issues credentials for <see cref="Role"/> at the same address. A wrong signature is then only <c>AccessDenied</c>.</param>
    public static async Task<RadosGateway> StartAsync(bool hasSts = false)
    {
        Array.ForEach(["radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "monmaptool"], name => Tool.Require(name));
        BotoClient.Require();
        for (var attempt = 1; ; attempt++)
        {
            var (port, tlsPort) = (ReservedPort.Next(), ReservedPort.Next());
            string[] arguments = [.. new[] { ReservedPort.Next(), port, tlsPort }.Select(number => number.ToString(CultureInfo.InvariantCulture)), TestCertificate.PemFile, AccessKey, SecretKey, hasSts ? "true" : "false"];
            var script = Process.Start(new ProcessStartInfo(Tool.Require("bash"), ["-c", Resource.Read("rados-gateway.sh"), "rados-gateway", .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var error = script.StandardError.ReadToEndAsync();
            var server = new RadosGateway(script, port, tlsPort);
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                if (await script.StandardOutput.ReadLineAsync(patience.Token) == "ready")
                {
                    return server;
                }
            }
            catch (OperationCanceledException)
            {
                // Another attempt.
            }

            await server.DisposeAsync();
            Assert.True(attempt < Attempts, $"Ceph does not start: {await error}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _script.StandardInput.Close();
        await _script.WaitForExitAsync();
        _script.Dispose();
    }
}
