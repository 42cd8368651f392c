using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gateway.Server;

/// <summary>A certificate in a file, or in a file and a key file. It is the last one that could be read.</summary>
/// <param name="path">PKCS #12, or PEM or DER if there is a key file.</param>
/// <param name="keyPath">The private key in PEM; null: it is in the same PKCS #12 file.</param>
/// <param name="password">The password of the PKCS #12 file or of the key; null: none.</param>
internal sealed class CertificateFile(string path, string? keyPath, string? password)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private string? _seen;
    private volatile SslStreamCertificateContext? _current;

    /// <summary>The certificate file.</summary>
    public string Path => path;

    /// <summary>The certificate with its chain; null until one could be read.</summary>
    public SslStreamCertificateContext? Current => _current;

    /// <summary>Reads the files and keeps their contents if they have changed. Symbolic links are followed.</summary>
    /// <returns>Whether <see cref="Current"/> has changed.</returns>
    /// <exception cref="IOException">A file cannot be read at the moment.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="CryptographicException">The content is not a certificate with its key. It is not tried again until it changes.</exception>
    public bool Refresh()
    {
        // The content is compared, not the modification time: a mounted secret is replaced by a link to older files, and two
        // writes can have the same time.
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
                own = chain.FirstOrDefault(member => member.HasPrivateKey) ?? throw new CryptographicException("it contains no private key");
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
            // What PEM readers throw for text that is not PEM.
            throw new CryptographicException(e.Message, e);
        }
    }

    /// <summary>The same condition as Kestrel's own at startup.</summary>
    private static void RequireForServers(X509Certificate2 certificate)
    {
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToArray();
        if (usages.Length > 0 && !usages.Any(usage => usage.EnhancedKeyUsages.Cast<Oid>().Any(oid => oid.Value == ServerAuthentication)))
        {
            throw new CryptographicException("it may not be used by servers (extended key usage)");
        }
    }
}
