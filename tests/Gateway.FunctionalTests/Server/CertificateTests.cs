using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Server;

/// <summary>Certificate files, written and renewed as certbot and cert-manager do it.</summary>
public sealed class CertificateTests : IAsyncDisposable
{
    private const string Tls = "Kestrel:Endpoints:Tls:";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-certificates-");
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly ScriptedUpstream _upstream = new();

    public async ValueTask DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("pem", null)]
    [InlineData("pem", "secret")]
    [InlineData("der", null)]
    [InlineData("pfx", null)]
    [InlineData("pfx", "secret")]
    public async Task A_renewed_certificate_is_served_to_new_connections_without_a_restart_and_with_its_chain(string form, string? password)
    {
        using var first = Issue();
        using var second = Issue();
        var configuration = Configuration();
        Write(configuration, Tls + "Certificate", "own", first, form, password);
        await using var gateway = await StartAsync(configuration);
        RequireServed(first, await HandshakeAsync(gateway.AddressOf(Protocol.Http1Tls)), hasChain: form != "der");

        Write(configuration, Tls + "Certificate", "own", second, form, password);
        _time.Advance(Interval);

        RequireServed(second, await HandshakeAsync(gateway.AddressOf(Protocol.Http1Tls)), hasChain: form != "der");
        Assert.Single(gateway.Outcomes.Lines, line => line.Contains("was renewed: " + second.Own.Thumbprint, StringComparison.Ordinal));
        Assert.DoesNotContain(gateway.Outcomes.Lines, line => line.Contains("file watcher", StringComparison.Ordinal)); // Kestrel's own
        Assert.Equal("h2", (await HandshakeAsync(gateway.AddressOf(Protocol.Http2Tls))).Protocol);
    }

    [Fact]
    public async Task A_mounted_secret_whose_link_is_replaced_is_renewed()
    {
        using var first = Issue();
        using var second = Issue();
        var configuration = Configuration();
        GatewayUnderTest.Set(configuration, Tls + "Certificate:Path", Path.Combine(_folder.FullName, "tls.crt"));
        GatewayUnderTest.Set(configuration, Tls + "Certificate:KeyPath", Path.Combine(_folder.FullName, "tls.key"));
        await MountAsync("2026-01", first);
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "tls.crt"), "..data/tls.crt");
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "tls.key"), "..data/tls.key");
        await using var gateway = await StartAsync(configuration);
        RequireServed(first, await HandshakeAsync(gateway.AddressOf(Protocol.Http1Tls)));

        await MountAsync("2026-02", second);
        _time.Advance(Interval);

        RequireServed(second, await HandshakeAsync(gateway.AddressOf(Protocol.Http1Tls)));

        // Like the kubelet: a folder with the new files, then one rename of the link.
        async Task MountAsync(string version, Issued certificate)
        {
            var folder = _folder.CreateSubdirectory(version);
            File.WriteAllText(Path.Combine(folder.FullName, "tls.crt"), certificate.Pem);
            File.WriteAllText(Path.Combine(folder.FullName, "tls.key"), certificate.Key(null));
            Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "..data_tmp"), version);
            Assert.Equal(0, (await Tool.RunAsync("mv", ["-T", "..data_tmp", "..data"], folder: _folder.FullName)).ExitCode);
        }
    }

    [Fact]
    public async Task If_a_certificate_is_half_written_or_missing_the_previous_one_stays_active_and_one_warning_is_logged()
    {
        using var first = Issue();
        using var second = Issue();
        var configuration = Configuration();
        Write(configuration, Tls + "Certificate", "own", first, "pem", null);
        await using var gateway = await StartAsync(configuration);
        var address = gateway.AddressOf(Protocol.Http1Tls);
        var (certificate, key) = (Path.Combine(_folder.FullName, "own.crt"), Path.Combine(_folder.FullName, "own.key"));

        await RequireWarningAsync(1, () => File.WriteAllText(certificate, second.Pem[..300]));
        await RequireWarningAsync(2, () => File.WriteAllText(certificate, second.Pem)); // its key is still the old one
        await RequireWarningAsync(3, () => File.Delete(key));
        File.WriteAllText(key, second.Key(null));
        _time.Advance(Interval);

        RequireServed(second, await HandshakeAsync(address));
        Assert.Equal(3, Warnings());

        async Task RequireWarningAsync(int number, Action damage)
        {
            damage();
            _time.Advance(Interval);
            _time.Advance(Interval);
            _time.Advance(Interval);
            RequireServed(first, await HandshakeAsync(address));
            Assert.Equal(number, Warnings());
        }

        int Warnings() => gateway.Outcomes.Lines.Count(line => line.Contains("own.crt cannot be read; the previous one stays active", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_host_of_an_endpoint_has_a_separate_renewed_certificate()
    {
        var configuration = Configuration();
        string[] hosts = ["a.example", "*.example", "*.long.example", "*"];
        var certificates = hosts.Select(_ => Issue()).ToArray();
        using var endpoint = Issue();
        Write(configuration, Tls + "Certificate", "endpoint", endpoint, "pem", null);
        GatewayUnderTest.Set(configuration, Tls + "Sni:without.example:Protocols", "Http1");
        for (var i = 0; i < hosts.Length; i++)
        {
            // All have the same certificate at first, so only the name shows which file is meant.
            Write(configuration, $"{Tls}Sni:{hosts[i]}:Certificate", $"host{i}", endpoint, "pem", null);
        }

        await using var gateway = await StartAsync(configuration);
        var address = gateway.AddressOf(Protocol.Http1Tls);
        RequireServed(endpoint, await HandshakeAsync(address, "a.example"));
        for (var i = 0; i < hosts.Length; i++)
        {
            Write(configuration, $"{Tls}Sni:{hosts[i]}:Certificate", $"host{i}", certificates[i], "pem", null);
        }

        _time.Advance(Interval);

        RequireServed(certificates[0], await HandshakeAsync(address, "A.example"));
        RequireServed(certificates[1], await HandshakeAsync(address, "b.example"));
        RequireServed(certificates[2], await HandshakeAsync(address, "x.long.example"));
        RequireServed(certificates[3], await HandshakeAsync(address, "elsewhere.test"));
        RequireServed(certificates[3], await HandshakeAsync(address, ""));
        RequireServed(endpoint, await HandshakeAsync(address, "without.example"));
        Array.ForEach(certificates, certificate => certificate.Dispose());
    }

    [Fact]
    public async Task The_default_certificate_of_addresses_and_endpoints_without_one_is_renewed_too()
    {
        using var first = Issue();
        using var second = Issue();
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        Write(configuration, "Kestrel:Certificates:Default", "default", first, "pem", null);
        GatewayUnderTest.Set(configuration, "Management:Urls", "https://127.0.0.1:0");
        var endpoints = Configuration();
        Write(endpoints, "Kestrel:Certificates:Default", "default", first, "pem", null);
        await using var byAddress = await StartAsync(configuration, "https://127.0.0.1:0");
        await using var byEndpoint = await StartAsync(endpoints);
        Uri[] addresses = [.. byAddress.Addresses, byEndpoint.AddressOf(Protocol.Http1Tls)];
        Assert.Equal(3, addresses.Length);
        foreach (var address in addresses)
        {
            RequireServed(first, await HandshakeAsync(address));
        }

        Write(configuration, "Kestrel:Certificates:Default", "default", second, "pem", null);
        _time.Advance(Interval);

        foreach (var address in addresses)
        {
            RequireServed(second, await HandshakeAsync(address));
        }
    }

    [Fact]
    public async Task The_start_never_hangs_while_the_certificate_is_rewritten_continuously()
    {
        var starts = Matrix.Of(full: 200, reduced: 5);
        var limit = TimeSpan.FromSeconds(30);
        var certificates = Enumerable.Range(0, 4).Select(_ => Issue()).ToArray();
        var contents = certificates.Select(certificate => Content(certificate, "pfx", null)).ToArray();
        var configuration = Configuration();
        Write(configuration, Tls + "Certificate", "own", certificates[0], "pfx", null);
        using var stop = new CancellationTokenSource();
        var rewriting = Task.Run(
            () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    Replace(Path.Combine(_folder.FullName, "own.pfx"), contents[i % contents.Length]);
                }
            },
            CancellationToken.None);
        try
        {
            for (var i = 0; i < starts; i++)
            {
                await using var gateway = await GatewayUnderTest.StartAsync(configuration.DeepClone().AsObject()).WaitAsync(limit);
                Assert.Contains((await HandshakeAsync(gateway.AddressOf(Protocol.Http1Tls))).Certificate.Thumbprint, certificates.Select(certificate => certificate.Own.Thumbprint));
            }
        }
        finally
        {
            await stop.CancelAsync();
            await rewriting;
        }
    }

    private static void RequireServed(Issued expected, (X509Certificate2 Certificate, string[] Chain, string Protocol) served, bool hasChain = true)
    {
        Assert.Equal(expected.Own.Thumbprint, served.Certificate.Thumbprint);
        Assert.Equal(hasChain, served.Chain.Contains(expected.Intermediate.Thumbprint));
    }

    /// <summary>The certificate, what was sent with it, and the protocol.</summary>
    private static async Task<(X509Certificate2 Certificate, string[] Chain, string Protocol)> HandshakeAsync(Uri address, string host = "localhost")
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        string[] chain = [];
        await using var tls = new SslStream(client.GetStream(), false, (_, _, sent, _) =>
        {
            chain = [.. sent!.ChainPolicy.ExtraStore.Select(certificate => certificate.Thumbprint)];
            return true;
        });
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = host, ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11] },
            TestContext.Current.CancellationToken);
        return (X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData()), chain, tls.NegotiatedApplicationProtocol.ToString());
    }

    private static Issued Issue()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Request("CN=root", rootKey, isAuthority: true).CreateSelfSigned(now.AddDays(-3), now.AddDays(3));
        using var signed = Request("CN=intermediate", middleKey, isAuthority: true).Create(root, now.AddDays(-2), now.AddDays(2), RandomNumberGenerator.GetBytes(8));
        using var middle = signed.CopyWithPrivateKey(middleKey);
        using var own = Request("CN=localhost", key, isAuthority: false).Create(middle, now.AddDays(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return new Issued(own.CopyWithPrivateKey(key), X509CertificateLoader.LoadCertificate(middle.RawData), key);

        static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
        {
            var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
            return request;
        }
    }

    private static byte[] Content(Issued certificate, string form, string? password) => form switch
    {
        "pem" => Encoding.ASCII.GetBytes(certificate.Pem),
        "der" => certificate.Own.RawData,
        _ => new X509Certificate2Collection { certificate.Own, certificate.Intermediate }.Export(X509ContentType.Pkcs12, password)!,
    };

    private static void Replace(string path, byte[] content)
    {
        File.WriteAllBytes(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }

    private JsonObject Configuration()
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.ListenForAll(configuration);
        return configuration;
    }

    private Task<GatewayUnderTest> StartAsync(JsonObject configuration, string? urls = null) => GatewayUnderTest.StartAsync(
        configuration,
        builder => builder.Services.AddSingleton<TimeProvider>(_time),
        urls);

    /// <summary>Writes files next to the target, renames them, and sets their paths in the configuration.</summary>
    private void Write(JsonObject configuration, string section, string name, Issued certificate, string form, string? password)
    {
        var path = Path.Combine(_folder.FullName, name + (form == "pfx" ? ".pfx" : ".crt"));
        GatewayUnderTest.Set(configuration, section + ":Path", path);
        if (password is not null)
        {
            GatewayUnderTest.Set(configuration, section + ":Password", password);
        }

        if (form != "pfx")
        {
            GatewayUnderTest.Set(configuration, section + ":KeyPath", Path.Combine(_folder.FullName, name + ".key"));
            Replace(Path.Combine(_folder.FullName, name + ".key"), Encoding.ASCII.GetBytes(certificate.Key(password)));
        }

        Replace(path, Content(certificate, form, password));
    }

    private sealed record Issued(X509Certificate2 Own, X509Certificate2 Intermediate, ECDsa PrivateKey) : IDisposable
    {
        public string Pem => Own.ExportCertificatePem() + "\n" + Intermediate.ExportCertificatePem() + "\n";

        public string Key(string? password) => password is null
            ? PrivateKey.ExportPkcs8PrivateKeyPem()
            : PrivateKey.ExportEncryptedPkcs8PrivateKeyPem(password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

        public void Dispose()
        {
            Own.Dispose();
            Intermediate.Dispose();
            PrivateKey.Dispose();
        }
    }
}
