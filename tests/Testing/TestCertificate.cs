using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Testing;

/// <summary>A certificate for loopback that nobody else has signed.</summary>
internal static class TestCertificate
{
    private static readonly Lazy<string> Shared = new(() =>
    {
        // In a folder of its own, in which nothing changes while a server that watches it starts: in .NET 10.0 that can stop the start for ever.
        var file = Path.Combine(Directory.CreateTempSubdirectory("gateway-certificate-").FullName, "certificate.p12");
        System.IO.File.WriteAllBytes(file, Create());
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        return file;
    });

    /// <summary>A PKCS #12 file without a password, the same for all tests of a process.</summary>
    public static string File => Shared.Value;

    private static byte[] Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return certificate.Export(X509ContentType.Pkcs12);
    }
}
