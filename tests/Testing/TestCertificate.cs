using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Testing;

/// <summary>A self-signed certificate for loopback.</summary>
internal static class TestCertificate
{
    private static readonly Lazy<X509Certificate2> SharedCertificate = new(() => X509CertificateLoader.LoadPkcs12(Create(), null));

    private static readonly Lazy<DirectoryInfo> Folder = new(() =>
    {
        var folder = Directory.CreateTempSubdirectory("gateway-certificate-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        return folder;
    });

    private static readonly Lazy<string> SharedFile = new(() => Write("certificate.p12", Create()));

    private static readonly Lazy<string> SharedPemFile = new(() =>
    {
        using var certificate = X509CertificateLoader.LoadPkcs12(Create(), null, X509KeyStorageFlags.Exportable);
        using var key = certificate.GetECDsaPrivateKey()!;
        return Write("certificate.pem", Encoding.ASCII.GetBytes($"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n"));
    });

    /// <summary>Shared by all gateways of this process. It is not stored in a file.</summary>
    public static X509Certificate2 Shared => SharedCertificate.Value;

    /// <summary>A PKCS #12 file without a password, for gateways that are processes. It is written once.</summary>
    public static string File => SharedFile.Value;

    /// <summary>A file with the key and the certificate in PEM, for other servers. It is written once.</summary>
    public static string PemFile => SharedPemFile.Value;

    private static string Write(string name, byte[] bytes)
    {
        var file = Path.Combine(Folder.Value.FullName, name);
        System.IO.File.WriteAllBytes(file, bytes);
        return file;
    }

    private static byte[] Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return certificate.Export(X509ContentType.Pkcs12);
    }
}
