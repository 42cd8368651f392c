using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gateway.Server;

/// <summary>A certificate in a file, or in a file and a key file. It is the last one that could be read.</summary>
/// <param name="path">PKCS #12, or PEM or DER when there is a key file.</param>
/// <param name="keyPath">The private key in PEM; null: it is in the same PKCS #12 file.</param>
/// <param name="password">Of the PKCS #12 file or of the key; null: none.</param>
internal sealed class CertificateFile(string path, string? keyPath, string? password)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private string? _seen;
    private volatile SslStreamCertificateContext? _current;

    /// <summary>The certificate file.</summary>
    public string Path => path;

    /// <summary>The certificate with its chain; null while none could be read.</summary>
    public SslStreamCertificateContext? Current => _current;

    /// <summary>Reads the files and keeps what they hold if it has changed. Symbolic links are followed.</summary>
    /// <returns>Whether <see cref="Current"/> is another certificate now.</returns>
    /// <exception cref="IOException">A file cannot be read now.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="CryptographicException">The content is no certificate with its key. It is not tried again before it changes.</exception>
    public bool Refresh()
    {
        // The content is compared, not the time of the last write: a mounted secret is exchanged by a link to older files, and two
        // writes can have one time.
        var certificate = File.ReadAllBytes(path);
        var key = keyPath is null ? null : File.ReadAllBytes(keyPath);
        var content = Convert.ToHexString(SHA256.HashData(certificate)) + (key is null ? "" : Convert.ToHexString(SHA256.HashData(key)));
        if (content == _seen)
        {
            return false;
        }

        _seen = content;
        _current = Create(certificate, key is null ? null : Encoding.UTF8.GetString(key));
        return true;
    }

    private SslStreamCertificateContext Create(byte[] certificate, string? key)
    {
        try
        {
            var chain = new X509Certificate2Collection();
            X509Certificate2 own;
            if (key is null)
            {
                chain = X509CertificateLoader.LoadPkcs12Collection(certificate, password);
                own = chain.FirstOrDefault(member => member.HasPrivateKey) ?? throw new CryptographicException("it holds no private key");
            }
            else
            {
                var pem = X509CertificateLoader.LoadCertificate(certificate).ExportCertificatePem();
                own = password is null ? X509Certificate2.CreateFromPem(pem, key) : X509Certificate2.CreateFromEncryptedPem(pem, key, password);
                chain.ImportFromPem(Encoding.UTF8.GetString(certificate));
            }

            RequireForServers(own);
            return SslStreamCertificateContext.Create(own, chain);
        }
        catch (ArgumentException e)
        {
            // What PEM readers throw for text that is none.
            throw new CryptographicException(e.Message, e);
        }
    }

    /// <summary>The same condition as Kestrel's own at the start.</summary>
    private static void RequireForServers(X509Certificate2 certificate)
    {
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToArray();
        if (usages.Length > 0 && !usages.Any(usage => usage.EnhancedKeyUsages.Cast<Oid>().Any(oid => oid.Value == ServerAuthentication)))
        {
            throw new CryptographicException("it may not be used by servers (extended key usage)");
        }
    }
}
